//! `clients:`.
//!
//! What operators know of their clients beats databases, so it must not
//! contradict itself: a prefix belongs to one group. Nested prefixes are fine,
//! the longest wins, as in routing.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::file::ClientSpec;
use super::super::forms::Reference;
use super::Resolver;
use crate::diagnostic::Location;
use crate::ids::{ClientGroupId, DatacenterId, LinkId};
use crate::model::ClientGroup;
use crate::prefix::Prefix;
use crate::read::{Named, Spanned};
use crate::target::TargetName;

/// Largest factor of `prefer:`; its inverse is the smallest.
const MAX_PREFERENCE: f64 = 1_000.0;

impl Resolver<'_> {
    pub(super) fn clients(&mut self, specs: Named<ClientSpec>) {
        let mut owners = HashMap::new();
        for (key, spec) in specs.0 {
            let room = (self.model.clients.len(), ClientGroupId::MAX);
            let fit = self.name_is_fit(&key, "client") && self.has_room(room, &key.at, "clients");
            let Some(spec) = spec.filter(|_| fit) else { continue };
            let ClientSpec { prefixes, at, carrier, prefer, order } = spec;
            let who = format!("client {}", key.text);
            let group = ClientGroup {
                prefixes: self.client_prefixes(prefixes.0, &who, &mut owners),
                at,
                carriers: self.carrier_references(carrier, &who),
                prefer: self.preferences(&prefer, &who),
                order: self.client_order(&order, &who),
                name: key.text,
                location: key.at,
            };
            self.model.clients.push(group);
        }
    }

    fn client_prefixes(
        &mut self,
        prefixes: Vec<Spanned<Prefix>>,
        who: &str,
        owners: &mut HashMap<Prefix, (String, Location)>,
    ) -> Vec<Prefix> {
        let mut own = Vec::new();
        for Spanned { at, value: prefix } in prefixes {
            if let Some((owner, first)) = owners.get(&prefix) {
                let what = format!("{prefix} must stand once; it is also {owner}'s at {first}");
                self.error(&at, [who, "prefixes"], what);
            } else {
                owners.insert(prefix, (who.to_owned(), at));
                own.push(prefix);
            }
        }
        own
    }

    /// `north/telecom: 2.0`.
    fn preferences(&mut self, prefer: &Named<Spanned<f64>>, who: &str) -> Vec<(LinkId, f64)> {
        let mut links = Vec::new();
        for (key, Spanned { at, value: factor }) in prefer.iter() {
            let reference = Spanned { at: key.at.clone(), value: Arc::clone(&key.text) };
            let name = key.text.strip_prefix("link:").unwrap_or(&key.text).split_once('/');
            let name = name.map(|(datacenter, link)| TargetName::Link(datacenter.into(), link.into()));
            let Some(target) = name.and_then(|name| self.named_target(&name, &reference, [who, "prefer"]))
            else {
                if !key.text.contains('/') {
                    self.error(&key.at, [who, "prefer"], "must be a link such as north/telecom");
                }
                continue;
            };
            if !(1.0 / MAX_PREFERENCE..=MAX_PREFERENCE).contains(factor) {
                self.error(at, [who, "prefer"], format!("must be a factor, 0.001 to {MAX_PREFERENCE}"));
            }
            // Links and their targets are numbered in the same order.
            let link = self.model.links.binary_search_by_key(&target, |link| link.target);
            links.extend(link.map(|link| (LinkId::new(link), *factor)));
        }
        links
    }

    fn client_order(&mut self, order: &[Reference], who: &str) -> Vec<DatacenterId> {
        let mut ids = Vec::new();
        for name in order {
            match self.datacenter(name, [who, "order"]) {
                Some(id) if ids.contains(&id) => {
                    self.error(&name.at, [who, "order"], format!("{:?} must stand once", name.value));
                }
                id => ids.extend(id),
            }
        }
        ids
    }
}

//! `carriers:`, and every `carrier:`.
//!
//! The built-in carriers come first and always, whether used or not: a region
//! of a steering chain may name one that no link does. Autonomous systems
//! become carriers when they are first referred to. Prefix files are read here,
//! because only whole carriers are of use to those who map addresses.

use std::sync::Arc;

use super::super::file::CarrierSpec;
use super::super::forms::{Asn, Reference};
use super::Resolver;
use crate::diagnostic::Location;
use crate::ids::CarrierId;
use crate::model::Carrier;
use crate::prefix::Prefix;
use crate::read::{Named, OneOrMany, Spanned};

impl Carrier {
    /// Carriers whose prefixes are built in. A declared carrier of the same
    /// name takes the place of the built-in one.
    pub const BUILT_IN: [&'static str; 6] = ["chinanet", "unicom", "cmcc", "cernet", "cstnet", "drpeng"];
}

impl Resolver<'_> {
    /// Built-in carriers, then declared ones.
    pub(super) fn carriers(&mut self, specs: Named<CarrierSpec>) {
        let declared: Vec<_> = specs.names().cloned().collect();
        for name in Carrier::BUILT_IN.map(Arc::from) {
            if !declared.contains(&name) {
                self.carrier(Carrier { name, builtin: true, asns: Vec::new(), prefixes: Vec::new() });
            }
        }
        for (key, spec) in specs.0 {
            self.name_is_fit(&key, "carrier");
            let room = (self.model.carriers.len(), CarrierId::MAX);
            let Some(spec) = spec.filter(|_| self.has_room(room, &key.at, "carriers")) else {
                self.carriers.insert(key.text, None);
                continue;
            };
            let CarrierSpec { asns, prefixes, file } = spec;
            let who = format!("carrier {}", key.text);
            if asns.is_none() && prefixes.is_none() && file.is_none() {
                self.error(&key.at, [&who, "declaration"], "must have asns, prefixes or a file");
            }
            let asns = asns.map_or_else(Vec::new, |OneOrMany(asns)| asns);
            let asns = asns.into_iter().map(|Asn(number)| number).collect();
            let mut prefixes = prefixes.unwrap_or_default();
            if let Some(file) = file {
                prefixes.extend(self.prefix_file(&file, &who));
            }
            prefixes.sort_unstable();
            prefixes.dedup();
            self.carrier(Carrier { name: key.text, builtin: false, asns, prefixes });
        }
    }

    fn carrier(&mut self, carrier: Carrier) -> CarrierId {
        let id = CarrierId::new(self.model.carriers.len());
        self.carriers.insert(Arc::clone(&carrier.name), Some(id));
        self.model.carriers.push(carrier);
        id
    }

    /// The carriers that a `carrier:` names: declared, built-in, or `AS4809`.
    pub(super) fn carrier_references(
        &mut self,
        names: Option<OneOrMany<Reference>>,
        who: &str,
    ) -> Vec<CarrierId> {
        let mut ids = Vec::new();
        for Spanned { at, value: name } in names.map_or_else(Vec::new, |OneOrMany(names)| names) {
            let id = match (self.carriers.get(&name), Asn::scan(&name)) {
                (Some(known), _) => *known,
                (None, Some(number)) => self.autonomous_system(number, &at),
                (None, None) => {
                    let hint = self.context.out.suggest(&name, self.carriers.keys().map(|name| &**name));
                    let what = format!("no carrier is named {name:?}");
                    self.context.out.hinted(&at, [who, "carrier"], what, hint);
                    None
                }
            };
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        ids
    }

    fn autonomous_system(&mut self, number: u32, at: &Location) -> Option<CarrierId> {
        let name: Arc<str> = format!("AS{number}").into();
        let known = self.carriers.get(&name).copied().flatten();
        known.or_else(|| {
            let room = (self.model.carriers.len(), CarrierId::MAX);
            let carrier = Carrier { name, builtin: false, asns: vec![number], prefixes: Vec::new() };
            self.has_room(room, at, "carriers").then(|| self.carrier(carrier))
        })
    }

    /// Prefixes from a file, one a line; `#` starts a comment.
    fn prefix_file(&mut self, file: &Spanned<Arc<str>>, who: &str) -> Vec<Prefix> {
        let (path, bytes) = match self.context.files.read(&file.at.file, &file.value) {
            Ok(read) => read,
            Err(error) => {
                self.error(&file.at, [who, "file"], format!("{}: {error}", file.value));
                return Vec::new();
            }
        };
        let path: Arc<str> = path.into();
        let text = String::from_utf8_lossy(&bytes);
        let mut prefixes = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let word = line.split('#').next().unwrap_or_default().trim();
            match word.parse::<Prefix>() {
                Ok(prefix) => prefixes.push(prefix),
                Err(_) if word.is_empty() => {}
                Err(error) => {
                    let at = Location { file: Arc::clone(&path), line: number, column: 0 };
                    self.error(&at, [who, "prefix"], error.to_string());
                }
            }
        }
        prefixes
    }
}

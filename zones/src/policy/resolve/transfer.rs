//! `transfer:` of zones.
//!
//! A secondary knows no clients: it gives everyone what one of them is given
//! here. Which one is for the operator to say, and nobody guesses.

use super::super::dnssec::Server;
use super::super::transfer::TransferSpec;
use super::Resolver;
use crate::model::{Denial, Dnssec, Transfer};
use crate::read::{OneOrMany, Spanned};
use crate::record::Rtype;
use crate::zone::ZoneData;

impl Resolver<'_> {
    /// `transfer:` of `zone`, which may be signed and have services.
    pub(super) fn transfer(
        &mut self,
        (data, has_services): (&ZoneData, bool),
        spec: Spanned<TransferSpec>,
        dnssec: Option<&Dnssec>,
    ) -> Transfer {
        let Spanned { at: location, value: TransferSpec { to, keys, notify, view, zonemd } } = spec;
        let zone = &data.apex;
        let who = format!("zone {zone}");
        let mut wrong = |which: &str, what: &str, hint: &str| {
            self.context.out.hinted(&location, [&who, which], what, Some(hint.to_owned()));
        };
        let to = to.map_or_else(Vec::new, |OneOrMany(to)| to);
        let keys = keys.map_or_else(Vec::new, |OneOrMany(keys)| keys);
        if to.is_empty() && keys.is_empty() {
            wrong("transfer", "must have to or keys", "say who may have the zone, such as to: 192.0.2.53/32");
        }
        if has_services && view.is_none() {
            let hint = "say which client's answers the others shall give, such as view: 192.0.2.0/24";
            wrong("transfer.view", "must be given, for the zone has services", hint);
        }
        if dnssec.is_some_and(|dnssec| dnssec.denial == Denial::Compact) {
            let hint = "use denial: nsec or nsec3";
            wrong(
                "transfer",
                "must not stand beside denial: compact, whose proofs are made for each question",
                hint,
            );
        }
        if zonemd && dnssec.is_some() {
            let hint = "its signatures show more, and are made when they are asked for";
            wrong("transfer.zonemd", "must not stand beside dnssec", hint);
        }
        if zonemd && data.records.iter().any(|record| record.rtype == Rtype::ZONEMD && record.owner == *zone)
        {
            let hint = "take it out of the file: it is made here";
            wrong("transfer.zonemd", "must not be true where the zone file has a ZONEMD", hint);
        }
        Transfer {
            location,
            to,
            keys,
            notify: notify
                .into_iter()
                .flat_map(|OneOrMany(notify)| notify)
                .map(|Server(server)| server)
                .collect(),
            view: view.map(|view| view.value),
            zonemd,
        }
    }
}

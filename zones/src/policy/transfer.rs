//! `transfer:` as a policy says it.

use super::dnssec::Server;
use crate::name::Name;
use crate::prefix::Prefix;
use crate::read::{OneOrMany, Spanned};
use crate::spec;

spec! {
    /// Who may have the whole zone, and what of it.
    pub(crate) struct TransferSpec {
        /// Prefixes of those who may.
        to: Option<OneOrMany<Prefix>>,
        /// TSIG keys of the server's configuration, one of which must sign the request; with `to`, both must hold.
        keys: Option<OneOrMany<Name>>,
        /// Servers that are told when the zone changes, port 53 unless given; signed with the first of `keys`.
        notify: Option<OneOrMany<Server>>,
        /// The client whose answers stand for services, while all is as assumed.
        view: Option<Spanned<Prefix>>,
        /// Whether the zone has a digest that shows who has it that it is whole (RFC 8976).
        zonemd: bool = false,
    }
}

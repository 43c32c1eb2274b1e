//! To whom a zone is transferred.

use std::net::SocketAddr;

use crate::diagnostic::Location;
use crate::name::Name;
use crate::prefix::Prefix;

/// `transfer:` of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Where the policy says so.
    pub location: Location,
    /// Who may have it; empty where a key is enough.
    pub to: Vec<Prefix>,
    /// Keys, one of which must sign the request; empty where an address is
    /// enough. `to` and `keys` are never both empty.
    pub keys: Vec<Name>,
    /// Who is told that the zone has changed.
    pub notify: Vec<SocketAddr>,
    /// The client whose answers stand for services; never missing in a zone
    /// with services.
    pub view: Option<Prefix>,
    /// Whether a ZONEMD is made for it.
    pub zonemd: bool,
}

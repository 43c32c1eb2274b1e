//! Everything an answer is made from, frozen.
//!
//! A snapshot is compiled aside from a validated world and published whole.
//! Its big parts — names, rows, place table, atlas — are shared by `Arc`
//! between snapshots; a change of health makes a new one with
//! [`Snapshot::with_state`], which copies pointers only.
//!
//! **Invariant:** a snapshot never changes, and every id in it belongs to the
//! one model it was compiled from.

pub(crate) mod compile;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod signing;
mod views;

use std::net::IpAddr;
use std::sync::Arc;

use rhumb_geo::PlaceTable;
use rhumb_policies::{Atlas, State, World};
use rhumb_zones::{Prefix, ServiceId};

use crate::cookie::Cookies;
use crate::tsig::Keyring;
pub use names::TooLarge;
pub use signing::Signatures;
pub use views::Views;

use names::Names;
use rows::ServiceRows;

/// How the server presents itself and whom it trusts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Largest UDP reply, octets: 512 to 4,096.
    pub udp_size: u16,
    /// The same for clients that prove their address by no cookie.
    pub udp_size_without_cookie: u16,
    /// How cookies are made and judged.
    pub cookies: Cookies,
    /// `version.bind`, at most 255 octets; nothing refuses it.
    pub version: Option<String>,
    /// `id.server` and NSID, at most 255 octets; nothing refuses them.
    pub identity: Option<String>,
    /// Who may ask `_why`.
    pub why_from: Vec<Prefix>,
    /// Secrets shared with other servers.
    pub tsig: Keyring,
    /// Who may ask in class CHAOS; nothing is everybody.
    pub chaos_from: Option<Vec<Prefix>>,
    /// Whose Client Subnet is believed; nothing is everybody's.
    pub client_subnet_from: Option<Vec<Prefix>>,
}

impl Options {
    /// DNS Flag Day 2020: passes every path without fragments.
    pub const UDP_SIZE: u16 = 1232;

    /// Whether `source` is one of `allowed`; nothing is everybody.
    pub(crate) fn admits(allowed: Option<&[Prefix]>, source: IpAddr) -> bool {
        allowed.is_none_or(|allowed| allowed.iter().any(|prefix| prefix.contains(source)))
    }
}

impl Default for Options {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"];
        Self {
            udp_size: Self::UDP_SIZE,
            udp_size_without_cookie: Self::UDP_SIZE,
            cookies: Cookies::default(),
            version: Some(concat!("rhumb ", env!("CARGO_PKG_VERSION")).to_owned()),
            identity: None,
            why_from: loopback.iter().filter_map(|text| text.parse().ok()).collect(),
            tsig: Keyring::default(),
            chaos_from: None,
            client_subnet_from: None,
        }
    }
}

/// What a snapshot is compiled from.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The validated policy.
    pub world: Arc<World>,
    /// Where clients are.
    pub places: Arc<PlaceTable>,
    /// Which clients the policy tells apart.
    pub atlas: Arc<Atlas>,
    /// What is usable now.
    pub state: Arc<State>,
    /// What services are to the clients whose views are transferred.
    pub views: Arc<Views>,
    /// SOA serials, by zone.
    pub serials: Vec<u32>,
    /// When they were given, in seconds since 1970.
    pub assigned: u32,
    /// What signs zones.
    pub signatures: Signatures,
    /// The number of this reload; never leaves the server.
    pub generation: u64,
    /// Presentation and trust.
    pub options: Arc<Options>,
}

/// One frozen generation.
#[derive(Clone, Debug)]
pub struct Snapshot {
    parts: Parts,
    names: Arc<Names>,
    services: Arc<[ServiceRows]>,
}

impl Snapshot {
    /// Compiles `parts`.
    ///
    /// # Errors
    /// When zones hold more than the tables can address.
    pub fn compile(parts: Parts) -> Result<Self, TooLarge> {
        let model = parts.world.model();
        let names = Arc::new(compile::names(model, &parts.serials, (&parts.signatures, &parts.views))?);
        let services = model.services().iter().map(|service| ServiceRows::new(model, service)).collect();
        Ok(Self { parts, names, services })
    }

    /// The same world in another state.
    #[must_use]
    pub fn with_state(&self, state: Arc<State>) -> Self {
        Self { parts: Parts { state, ..self.parts.clone() }, ..self.clone() }
    }

    /// What it was compiled from.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Names served, empty non-terminals included.
    #[must_use]
    pub fn name_count(&self) -> usize {
        self.names.len()
    }

    /// Whether its big parts are also in another snapshot, in some worker's
    /// hands or published.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.names) > 1
    }

    pub(crate) fn options(&self) -> &Options {
        &self.parts.options
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn rows(&self, service: ServiceId) -> &ServiceRows {
        &self.services[service.index()]
    }
}

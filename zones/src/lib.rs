//! What operators write, read into one validated model.
//!
//! Policy YAML and RFC 1035 zone files come in as bytes (this crate opens no
//! file: see [`Files`]); a [`Model`] and a list of [`Diagnostic`]s come out.
//! The nouns that every other crate speaks — [`Name`], [`Prefix`],
//! [`TargetName`], the ids — live here too, because they are what operators
//! write.
//!
//! **Invariant:** this crate knows nothing of packets, clients, verdicts,
//! clocks or sockets, and imports no other crate of the house.

mod diagnostic;
mod files;
mod ids;
mod lexer;
mod master;
mod model;
mod name;
mod place;
mod policy;
mod prefix;
pub mod rdata;
mod read;
mod record;
mod records;
mod schema;
mod target;
mod tree;
mod zone;

pub use diagnostic::{Diagnostic, Diagnostics, Location, Severity};
pub use files::{Files, NoFiles, ReadError};
pub use ids::{
    BalancerId, CarrierId, ClientGroupId, DatacenterId, InterconnectId, LinkId, NodeId, ServiceId, TargetId,
    VipId, ZoneId,
};
pub use lexer::ScanError;
pub use model::{
    Assume, Balancer, Carrier, Check, ClientGroup, Data, Datacenter, Denial, Dnssec, Interconnect,
    KeyAlgorithm, KeyPlan, LastResort, Link, LinkSelection, Model, NameServer, Node, Nsec3, Plugin, Primary,
    Probe, Quorum, Recovery, Rule, RuleAction, Service, Target, Transfer, Vip, Zone,
};
pub use name::{Name, NameError, NameRef};
pub use place::Point;
pub use policy::{LoadOptions, Loaded, Source, load, probe_keys};
pub use prefix::{Prefix, PrefixError};
pub use read::{
    Bounded, Entries, Fraction, KeyInfo, MAX_DURATION, Named, OneOrMany, Read, Reader, Spanned, Spec, Ttl,
    did_you_mean, read, scan_duration,
};
pub use record::{Record, RecordRef, Rtype, RtypeError};
pub use records::{RecordIter, RecordSlice, Records};
pub use schema::schema;
pub use target::{TargetName, TargetNameError};
pub use tree::{Key, Tree, Value};
pub use zone::{ZoneData, ZoneSource};

// The macro `spec!` names it in crates that need not depend on it.
#[doc(hidden)]
pub use serde_json;

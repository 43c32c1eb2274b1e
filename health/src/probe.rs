//! Kinds of probes: what each can be told, in one file each.
//!
//! A kind is a type declared with [`rhumb_zones::spec!`]: its first key bears
//! its name and main argument, the others stand beside it, as in
//! `{ http: /healthz, port: 443 }`. Keys that every probe has (`interval`,
//! `source`, `from`, …) are read by `rhumb-zones` and never seen here.
//!
//! [`KINDS`] is the table. Adding a kind is a file, a line there, its tests
//! and its page.
//!
//! The same file says how the probe is made: [`Kind::run`] gets a [`Way`] to
//! its target, which knows addresses, sources, interfaces and time, and
//! answers with what it found out. When, how often and what follows from it is
//! the business of [`run`](crate::run).
//!
//! **Invariant:** what a target says is a stranger's word: every kind bounds
//! what it reads of it, and none fails but by its [`Reply`].

pub mod dns;
pub mod exec;
pub mod file;
pub mod grpc;
pub mod http;
pub mod ping;
pub mod tcp;
pub mod tls;
pub mod udp;
mod way;
pub mod whereto;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use rhumb_zones::serde_json::Value as Json;
use rhumb_zones::{
    Diagnostics, Entries, Model, Probe, Read, Reader, Spec, TargetId, TargetName, Tree, probe_keys,
};

use self::dns::Dns;
use self::exec::Exec;
use self::file::File;
use self::grpc::Grpc;
use self::http::Http;
use self::ping::Ping;
use self::tcp::Tcp;
use self::tls::Tls;
use self::udp::Udp;
pub use self::way::{Tools, Way};
use crate::reply::Reply;
use crate::roster::Homes;

/// A probe under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// What a probe takes of the machine while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cost {
    /// Nothing of its own: it shares a socket with others.
    Shared,
    /// A few descriptors.
    Descriptors,
    /// A process.
    Process,
}

/// What a kind of probe was told to do.
pub trait Kind: fmt::Debug + Send + Sync {
    /// What it does, in one line: `TCP connect to port 443`.
    fn describe(&self) -> String;

    /// Whether it goes to the target's own address, which only VIPs, nodes
    /// and balancers have.
    fn needs_target_address(&self) -> bool;

    /// Whether its failures tell of a network: not so where only this machine
    /// is asked.
    fn uses_network(&self) -> bool {
        true
    }

    /// Whether its answers have a first word that can name a datacenter.
    fn reports(&self) -> bool {
        false
    }

    /// What it takes while it runs.
    fn cost(&self) -> Cost {
        Cost::Descriptors
    }

    /// Makes the probe, all its tries included; it ends within the timeout.
    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a>;

    /// Reports what no single key is to blame for.
    fn check(&self, _tree: &Tree, _reader: &mut Reader<'_>) {}
}

/// A line of [`KINDS`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its key in a probe.
    pub name: &'static str,
    schema: fn() -> Json,
    read: fn(&Tree, &mut Reader<'_>) -> Option<Box<dyn Kind>>,
}

const fn entry<K: Kind + Spec + Read + 'static>(name: &'static str) -> Entry {
    Entry { name, schema: K::schema, read: read_kind::<K> }
}

/// Every kind there is.
pub const KINDS: [Entry; 9] = [
    entry::<Ping>("ping"),
    entry::<Tcp>("tcp"),
    entry::<Tls>("tls"),
    entry::<Http>("http"),
    entry::<Dns>("dns"),
    entry::<Udp>("udp"),
    entry::<Grpc>("grpc"),
    entry::<Exec>("exec"),
    entry::<File>("file"),
];

fn read_kind<K: Kind + Spec + 'static>(tree: &Tree, reader: &mut Reader<'_>) -> Option<Box<dyn Kind>> {
    let mut entries = Entries::of(tree, reader)?;
    let kind = K::take(&mut entries, reader);
    let known = [K::keys(), probe_keys()].concat();
    entries.refuse(known.iter().map(|key| key.name.as_str()), reader);
    let kind = kind?;
    kind.check(tree, reader);
    Some(Box::new(kind))
}

/// Reads what a probe is told to do; what is wrong goes to `reader`.
pub fn read(probe: &Probe, reader: &mut Reader<'_>) -> Option<Box<dyn Kind>> {
    let name = probe.kind.among(&KINDS.map(|entry| entry.name), reader)?;
    let entry = KINDS.iter().find(|entry| entry.name == name)?;
    (entry.read)(&probe.kind.arguments, reader)
}

/// Reads every probe of `model`, used or not, and reports what is wrong.
pub fn validate(model: &Model, out: &mut Diagnostics) {
    let mut validation = Validation { out, asked: HashMap::new() };
    for check in model.checks() {
        validation.probe(&check.probe, [&format!("check {}", check.name), ""]);
    }
    let (addressed, homes) = (addressed(model), Homes::new(model));
    for (index, target) in model.targets().iter().enumerate() {
        let Some(probe) = &target.probe else { continue };
        let who = target.name.to_string().replacen(':', " ", 1);
        let which = if matches!(target.name, TargetName::Vip(..)) { "check" } else { "probe" };
        let needs_address = validation.probe(probe, [&who, which]).needs_address;
        if needs_address && !addressed.contains(&TargetId::new(index)) {
            validation.out.error(&target.location, &who, which, "must say which address to probe");
        }
        let own = if needs_address { homes.addresses(TargetId::new(index)) } else { &[] };
        if let Some(unreached) = own.iter().find(|address| !is_family_of(address, probe.source)) {
            let what = format!("must be of the family of {unreached}");
            validation.out.error(&target.location, &who, &format!("{which}.source"), &what);
        }
    }
    for service in model.services() {
        let Some(probe) = service.primary.as_ref().and_then(|primary| primary.probe.as_ref()) else {
            continue;
        };
        let who = format!("service {}", service.name);
        let Asked { needs_address, reports } = validation.probe(probe, [&who, "primary.probe"]);
        if needs_address {
            validation.out.error(&probe.location, &who, "primary.probe", "must say which address to probe");
        }
        if !reports {
            let what = "must be one that reports a datacenter: exec, file, http, udp, or dns of type TXT";
            validation.out.error(&probe.location, &who, "primary.probe", what);
        }
    }
}

struct Validation<'o> {
    out: &'o mut Diagnostics,
    /// Of probes already read: named checks are shared by many targets.
    asked: HashMap<*const Probe, Asked>,
}

/// What matters of a kind where it is used.
#[derive(Clone, Copy, Debug)]
struct Asked {
    needs_address: bool,
    reports: bool,
}

impl Validation<'_> {
    /// Reads a probe once.
    fn probe(&mut self, probe: &Arc<Probe>, [who, which]: [&str; 2]) -> Asked {
        *self.asked.entry(Arc::as_ptr(probe)).or_insert_with(|| {
            let mut reader = Reader::new(self.out, who);
            let kind = if which.is_empty() {
                read(probe, &mut reader)
            } else {
                reader.inside(which, |r| read(probe, r))
            };
            // One that cannot be read is told already.
            let wrong = Asked { needs_address: false, reports: true };
            kind.map_or(wrong, |kind| Asked {
                needs_address: kind.needs_target_address(),
                reports: kind.reports(),
            })
        })
    }
}

fn is_family_of(address: &IpAddr, source: Option<IpAddr>) -> bool {
    source.is_none_or(|source| source.is_ipv4() == address.is_ipv4())
}

/// Targets with an address of their own.
fn addressed(model: &Model) -> HashSet<TargetId> {
    let vips = model.vips().iter().filter(|vip| !vip.addresses.is_empty()).map(|vip| vip.target);
    let balancers = model.balancers().iter().filter(|one| one.address.is_some()).map(|one| one.target);
    vips.chain(balancers).chain(model.nodes().iter().map(|node| node.target)).collect()
}

/// The JSON Schemas of all kinds, as a list.
#[must_use]
pub fn schema() -> Json {
    KINDS.iter().map(|entry| (entry.schema)()).collect()
}

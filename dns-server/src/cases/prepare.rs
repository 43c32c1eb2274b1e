//! From what a case says to what is asked in which state.
//!
//! Names are resolved against the model here, so that all of a file's
//! mistakes are reported, with their places, before any case runs.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use rhumb_health::{Measure, Status};
use rhumb_policies::{Action, Inputs};
use rhumb_zones::{
    DatacenterId, Diagnostics, Fraction, Key, Location, Model, Named, ServiceId, Spanned, TargetId,
    TargetName as Name, did_you_mean,
};

use super::spec::{Case, Expect, Force, Measured};
use crate::ask::{Client, Question};
use crate::load::Document;
use crate::naming::{self, Unknown};

/// The first of the addresses that stand for clients without one: reserved,
/// so nobody has it and no database places it (RFC 1112 §4).
const MADE_UP: u32 = 0xf000_0000;

/// How many addresses there are in 240.0.0.0/8; one is used per case.
const MAX_CASES: usize = 1 << 24;

/// When cases ask that do not say: 2026-01-01T00:00:00Z. Fixed, so that a
/// test that passes today passes tomorrow.
const NOW: u32 = 1_767_225_600;

/// A case, ready to be tried.
#[derive(Debug)]
pub(super) struct Prepared<'c> {
    pub(super) title: String,
    pub(super) question: Question,
    pub(super) inputs: Inputs,
    pub(super) expect: Option<&'c Expect>,
}

/// A policy document with a client group for each case that describes its
/// client instead of naming an address; nothing when none does.
pub(super) fn clients(path: &Path, cases: &[Spanned<Case>]) -> Option<Document> {
    let mut text = String::new();
    for (index, Spanned { value: case, .. }) in cases.iter().enumerate().take(MAX_CASES) {
        if case.at.is_none() && case.carrier.is_none() {
            continue;
        }
        let place = case.at.map(|at| format!(", at: [{}, {}]", at.latitude, at.longitude));
        // JSON's escapes are YAML's too.
        let carrier =
            case.carrier.as_ref().map(|name| format!(", carrier: {}", serde_json::Value::from(&**name)));
        let (place, carrier) = (place.unwrap_or_default(), carrier.unwrap_or_default());
        let address = made_up(index);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  _case.{}: {{ prefixes: [{address}/32]{place}{carrier} }}", index + 1);
    }
    let name = Arc::from(format!("{} (clients of its cases).yaml", path.display()));
    (!text.is_empty()).then(|| Document { name, bytes: format!("clients:\n{text}").into_bytes().into() })
}

/// The address of the `index`-th case's client.
fn made_up(index: usize) -> Ipv4Addr {
    Ipv4Addr::from(MADE_UP + u32::try_from(index % MAX_CASES).unwrap_or(0))
}

/// Resolves one case; nothing when it is wrong, which is then reported.
pub(super) fn case<'c>(
    model: &Model,
    (index, Spanned { at, value: case }): (usize, &'c Spanned<Case>),
    out: &mut Diagnostics,
) -> Option<Prepared<'c>> {
    let who =
        case.name.as_ref().map_or_else(|| format!("case {}", index + 1), |name| format!("case {name:?}"));
    let mut clerk = Clerk { model, who: &who, out };
    let client = clerk.client(index, case);
    let question = clerk.ok("ask", &case.ask.at, naming::owner(model, &case.ask.value.name)).map(|name| {
        let now = case.now.map_or(NOW, |now| u32::try_from(now.0.as_secs()).unwrap_or(u32::MAX));
        Question { name, rtype: case.ask.value.rtype, client, now, draw: 0 }
    });
    let inputs = clerk.inputs(case, question.as_ref());
    case.expect.iter().for_each(|expect| clerk.expect(expect));
    Some(Prepared {
        title: format!("{at}: {who}"),
        question: question?,
        inputs,
        expect: case.expect.as_ref(),
    })
}

/// What a prober would have measured: the same delay every time, over as many
/// tries as tell a loss of 0.1 %.
fn measure(Measured { loss, delay_ms }: &Measured) -> Measure {
    let (loss, tries) = (loss.map_or(0.0, |Fraction(loss)| loss), 1_000);
    let jitter_ms = delay_ms.map(|_| 0.0);
    Measure { loss, delay_ms: *delay_ms, p50_ms: *delay_ms, p95_ms: *delay_ms, jitter_ms, tries }
}

/// Resolves names, and reports those that name nothing.
struct Clerk<'a> {
    model: &'a Model,
    who: &'a str,
    out: &'a mut Diagnostics,
}

impl Clerk<'_> {
    fn wrong(&mut self, which: &str, at: &Location, what: &str, hint: Option<String>) {
        self.out.hinted(at, [self.who, which], what, hint);
    }

    fn ok<T>(&mut self, which: &str, at: &Location, result: Result<T, Unknown>) -> Option<T> {
        result.map_err(|Unknown { what, hint }| self.wrong(which, at, &what, hint)).ok()
    }

    fn client(&mut self, index: usize, case: &Case) -> Client {
        let described = case.at.is_some() || case.carrier.is_some();
        match &case.client {
            Some(client) if described => {
                self.wrong("client", &client.at, "must not be given together with at: or carrier:", None);
                Client::Told(client.value)
            }
            Some(client) => Client::Told(client.value),
            None if described => Client::Resolver(IpAddr::V4(made_up(index))),
            None => Client::NOBODY,
        }
    }

    fn inputs(&mut self, case: &Case, question: Option<&Question>) -> Inputs {
        let mut inputs = Inputs::new(self.model, Status::Up);
        for (which, names, verdict) in [("down", &case.down, Status::Down), ("up", &case.up, Status::Up)] {
            for (target, _) in self.targets(which, names) {
                inputs.set_verdict(self.model, target, verdict);
            }
        }
        for (target, at) in self.targets("drain", &case.drain) {
            let name = &self.model.target(target).name;
            if !matches!(name, Name::Datacenter(_) | Name::Link(..) | Name::Service(_) | Name::Vip(..)) {
                let what = format!("{name} cannot be drained: datacenters, links, services and VIPs can");
                self.wrong("drain", &at, &what, None);
            }
            inputs.simply(target, Action::Drain);
        }
        for (target, _, force) in self.keys("force", &case.force) {
            inputs.simply(target, if *force == Force::Up { Action::Up } else { Action::Down });
        }
        for (target, at, measured) in self.keys("measured", &case.measured) {
            let name = &self.model.target(target).name;
            if !matches!(name, Name::Link(..)) {
                self.wrong("measured", &at, &format!("{name} is no link: only links are measured"), None);
            }
            inputs.set_measure(target, measure(measured));
        }
        let promoted = case.primary.as_ref().and_then(|primary| self.primary(primary, question));
        if let Some((service, datacenter)) = promoted {
            let declared = self.model.service(service).primary.as_ref();
            if declared.is_some_and(|primary| primary.probe.is_some()) {
                inputs.follow(service, datacenter);
            } else {
                inputs.promote(service, datacenter);
            }
        }
        inputs
    }

    fn targets(&mut self, which: &str, names: &[Spanned<String>]) -> Vec<(TargetId, Location)> {
        let resolve = |Spanned { at, value }: &Spanned<String>| {
            let target = self.ok(which, at, naming::target(self.model, value))?;
            Some((target, at.clone()))
        };
        names.iter().filter_map(resolve).collect()
    }

    fn keys<'n, T>(&mut self, which: &str, named: &'n Named<T>) -> Vec<(TargetId, Location, &'n T)> {
        let resolve = |(key, value): (&Key, &'n T)| {
            let target = self.ok(which, &key.at, naming::target(self.model, &key.text))?;
            Some((target, key.at.clone(), value))
        };
        named.iter().filter_map(resolve).collect()
    }

    /// The service asked for, and the datacenter that is to be its primary.
    fn primary(
        &mut self,
        primary: &Spanned<String>,
        question: Option<&Question>,
    ) -> Option<(ServiceId, DatacenterId)> {
        let datacenter = self.datacenter("primary", primary);
        let owner = &question?.name;
        let service = self.model.services().iter().position(|service| service.owner == *owner);
        if service.is_none() {
            self.wrong("primary", &primary.at, &format!("{owner} is no service: it has no primary"), None);
        }
        Some((ServiceId::new(service?), datacenter?))
    }

    fn datacenter(&mut self, which: &str, Spanned { at, value }: &Spanned<String>) -> Option<DatacenterId> {
        let names = || self.model.datacenters().iter().map(|datacenter| &*datacenter.name);
        let found = names().position(|name| name == value).map(DatacenterId::new);
        let hint = did_you_mean(value, names());
        found.or_else(|| {
            self.wrong(which, at, "must be a datacenter", hint);
            None
        })
    }

    /// What is expected must exist, or it could never come out.
    fn expect(&mut self, expect: &Expect) {
        if let Some(datacenter) = &expect.datacenter {
            self.datacenter("expect.datacenter", datacenter);
        }
        if let Some(Spanned { at, value }) = &expect.link {
            let names = || self.model.links().iter().map(|link| &*link.name);
            if !names().any(|name| name == value) {
                let hint = did_you_mean(value, names());
                self.wrong("expect.link", at, "must be a link of some datacenter", hint);
            }
        }
    }
}

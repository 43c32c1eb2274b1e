//! A question put to a snapshot: what a client gets, and why.
//!
//! The answer comes from [`respond`], packet in and packet out, so what
//! `rhumb explain` and `rhumb test` show is what is served and not a second
//! opinion. The reasons come from the policy's own explanation of the same
//! choice; a name that is not steered has none beyond what it is.

mod wire;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use rhumb_policies::Explanation;
use rhumb_zones::{Model, Name, Prefix, Record, Rtype, rdata};
use serde_json::{Value as Json, json};

use crate::naming::{self, Unknown};
use crate::net::clock;
use crate::respond::{Meta, Scratch, Transport, explain, respond};
use crate::snapshot::Snapshot;
use crate::stats::Stats;

pub(crate) use wire::question;
pub use wire::{Code, Reply};

/// What is asked, by whom and when.
#[derive(Clone, Debug)]
pub struct Question {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub rtype: Rtype,
    /// Who asks.
    pub client: Client,
    /// When, in Unix seconds.
    pub now: u32,
    /// The random number that breaks ties.
    pub draw: u64,
}

impl Question {
    /// A question as an operator asks it now: `name` as in [`naming`], and
    /// nobody in particular without a client.
    ///
    /// # Errors
    /// When `name` is none.
    pub fn new(model: &Model, name: &str, (rtype, client): (Rtype, Option<Prefix>)) -> Result<Self, Unknown> {
        let client = client.map_or(Client::NOBODY, Client::Told);
        Ok(Self { name: naming::owner(model, name)?, rtype, client, now: clock(), draw: 0 })
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    /// A client whose resolver tells this much of its address.
    Told(Prefix),
    /// A resolver that tells nothing of its clients.
    Resolver(IpAddr),
}

impl Client {
    /// Nobody in particular: this machine.
    pub const NOBODY: Self = Self::Resolver(IpAddr::V4(Ipv4Addr::LOCALHOST));

    const fn address(self) -> IpAddr {
        match self {
            Self::Told(prefix) => prefix.address(),
            Self::Resolver(address) => address,
        }
    }
}

/// The answer and its reasons.
#[derive(Clone, Debug)]
pub struct Told {
    /// What was asked.
    pub question: Question,
    /// What the client gets.
    pub reply: Reply,
    /// Why, where the name is steered.
    pub explanation: Option<Explanation>,
    /// Of the snapshot that answered.
    pub generation: u64,
}

/// Asks `snapshot`.
#[must_use]
pub fn ask(snapshot: &Snapshot, question: &Question) -> Told {
    let Question { name, rtype, client, now, draw } = question;
    let subnet = match client {
        Client::Told(prefix) => Some(*prefix),
        Client::Resolver(_) => None,
    };
    let packet = wire::question(name, *rtype, subnet);
    let meta = Meta {
        source: client.address(),
        local: None,
        transport: Transport::Tcp,
        idle: None,
        now: *now,
        draw: *draw,
    };
    let mut scratch = Scratch::new(Stats::default().block());
    let mut out = vec![0; usize::from(u16::MAX)];
    let length = respond(snapshot, &mut scratch, (&packet, &meta), &mut out);
    let length = length.expect("a well-formed question is answered");
    let reply = Reply::parse(&out[..length]).expect("our replies are well-formed");
    let explanation = aliases(name, &reply).find_map(|name| explain(snapshot, &name, (&packet, &meta)));
    Told { question: question.clone(), reply, explanation, generation: snapshot.parts().generation }
}

/// The name asked for and those that it is an alias of, as the reply says.
fn aliases(name: &Name, reply: &Reply) -> impl Iterator<Item = Name> {
    let targets = reply.answers.iter().filter(|record| record.rtype == Rtype::CNAME);
    std::iter::once(name.clone()).chain(targets.filter_map(|record| Name::from_wire(&record.rdata).ok()))
}

impl Told {
    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let Self { question: Question { name, rtype, client, .. }, reply, explanation, generation } = self;
        let answers: Vec<Json> = reply.answers.iter().map(record).collect();
        json!({
            "name": name.to_string(),
            "type": rtype.to_string(),
            "client": client.to_string(),
            "generation": generation,
            "rcode": reply.rcode.to_string(),
            "scope": reply.scope,
            "answers": answers,
            "decision": explanation.as_ref().map(Explanation::to_json),
        })
    }
}

fn record(Record { owner, rtype, ttl, rdata }: &Record) -> Json {
    json!({
        "name": owner.to_string(), "ttl": ttl, "type": rtype.to_string(),
        "data": rdata::display(*rtype, rdata),
    })
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { question: Question { name, rtype, client, .. }, reply, explanation, generation } = self;
        writeln!(f, "{name} {rtype} for {client}, by generation {generation}:")?;
        match explanation {
            Some(explanation) => {
                explanation.sentences().try_for_each(|sentence| writeln!(f, "  {sentence}"))?;
            }
            None => writeln!(f, "  The name is not steered: everyone gets the same answer.")?,
        }
        write!(f, "{}", reply.rcode)?;
        reply.scope.map_or(Ok(()), |scope| write!(f, ", scope /{scope}"))?;
        for Record { owner, rtype, ttl, rdata } in &reply.answers {
            write!(f, "\n  {owner} {ttl} {rtype} {}", rdata::display(*rtype, rdata))?;
        }
        Ok(())
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(prefix) => write!(f, "a client in {prefix}"),
            Self::Resolver(address) => write!(f, "a resolver at {address} that tells nothing of its clients"),
        }
    }
}

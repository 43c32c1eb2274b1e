//! From a name to its data: the algorithm of RFC 1034 §4.3.2.
//!
//! Each hop looks one name up and either ends — data, no data, no such name,
//! a referral — or follows an alias to the next name, as far as it stays in
//! our zones. Wildcards are RFC 4592, DNAME is RFC 6672, negative answers
//! RFC 2308, the rcode of a chain is that of its last name (RFC 6604).

use rhumb_dnssec::RrSet as Signable;
use rhumb_zones::{Rtype, ZoneId};

use super::client::Client;
use super::opt::Why;
use super::proof::Denied;
use super::reply::Reply;
use super::seal::Written;
use super::trail::{Alias, MAX_HOPS, Trail};
use super::{Meta, steered, why};
use crate::compose::{Owner, Row, Section};
use crate::query::{Folded, Query, Rcode};
use crate::snapshot::names::{Found, Names, NodeId, Role, RrSet};
use crate::snapshot::{Options, Snapshot};
use crate::stats::Counters;

/// TTL of the HINFO that answers ANY (RFC 8482 §4.2), seconds.
const ANY_TTL: u32 = 3_600;
const HINFO: Rtype = Rtype(13);
/// CPU "RFC8482", OS "".
const ANY_RDATA: &[u8] = b"\x07RFC8482\x00";

/// Types that ask for a transfer or for mail's long gone pairs.
const QTYPE_AXFR: u16 = 252;
const QTYPE_IXFR: u16 = 251;
const QTYPE_MAILB: u16 = 253;
const QTYPE_MAILA: u16 = 254;
const QTYPE_TSIG: u16 = 250;
const QTYPE_TKEY: u16 = 249;
const QTYPE_NXNAME: u16 = 128;

/// One query on its way through names.
pub(super) struct Chain<'q, 's> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) client: Client<'q>,
    pub(super) counters: &'q Counters,
    pub(super) qtype: Rtype,
    labels: usize,
    folded: &'q mut Folded,
    trail: &'q mut Trail,
}

/// A node that answers for the current name.
#[derive(Clone, Copy)]
pub(super) struct Hit {
    pub(super) id: NodeId,
    /// The zone that it answers in.
    pub(super) zone: ZoneId,
    /// Where it is a wildcard that was expanded: the closest encloser, and
    /// where in the name that starts.
    pub(super) expanded: Option<(NodeId, usize)>,
}

/// Where a hop leads.
pub(super) enum Step<'s> {
    /// The answer is complete.
    Done,
    /// Go on with this name.
    Follow(&'s [u8]),
    /// Go on with what stands below `below` in the current name, under this.
    Graft { below: usize, target: &'s [u8] },
}

impl<'q, 's> Chain<'q, 's> {
    #[inline]
    pub(super) fn new(
        snapshot: &'s Snapshot,
        (query, meta): (&Query<'q>, &'q Meta),
        counters: &'q Counters,
        (folded, trail): (&'q mut Folded, &'q mut Trail),
    ) -> Self {
        trail.restart();
        Self {
            snapshot,
            client: Client::new(query, meta, snapshot.options()),
            counters,
            qtype: Rtype(query.question.qtype),
            labels: query.question.labels,
            folded,
            trail,
        }
    }

    /// Answers into `reply`.
    #[inline]
    pub(super) fn answer(&mut self, reply: &mut Reply<'_>) {
        match self.qtype.0 {
            QTYPE_AXFR | QTYPE_IXFR => reply.refuse(Rcode::Refused, Why::Prohibited),
            QTYPE_MAILA | QTYPE_MAILB => reply.refuse(Rcode::NotImp, Why::NotSupported),
            QTYPE_TSIG | QTYPE_TKEY | 0 => reply.rcode = Rcode::FormErr,
            // RFC 9824 §3.4: it stands in bitmaps and nowhere else.
            QTYPE_NXNAME => reply.rcode = Rcode::FormErr,
            _ if self.qtype == Rtype::OPT => reply.rcode = Rcode::FormErr,
            _ => {
                self.follow(reply);
                self.write_links(reply);
            }
        }
    }

    #[inline]
    fn follow(&mut self, reply: &mut Reply<'_>) {
        let names = self.snapshot.names();
        for _ in 0..MAX_HOPS {
            let found = names.find(self.folded.name(), self.labels);
            if !self.is_admitted(found) {
                return self.keep_out(reply);
            }
            let step = match found {
                Found::Nowhere => return self.leave(reply),
                Found::Exact(id) => self.exact(id, reply),
                Found::Encloser { node, below } => self.enclosed((node, below), reply),
            };
            let moved = match step {
                Step::Done => return,
                Step::Follow(name) => self.trail.alias.set(name),
                Step::Graft { below, target } => self.graft(below, target, reply),
            };
            if moved.is_none() || !self.trail.is_first(names.hash(self.folded.name())) {
                return;
            }
            let Some(labels) = self.folded.set(self.trail.alias.name()) else { return };
            self.labels = labels;
            // A loop: all of it stands in the answer, each record once.
            if self.trail.has(names.hash(self.folded.name())) {
                return;
            }
        }
    }

    /// The name lies in no zone of ours.
    fn leave(&self, reply: &mut Reply<'_>) {
        if !reply.has_answer() {
            reply.refuse(Rcode::Refused, Why::NotAuthoritative);
        }
    }

    /// Whether the client may ask for names of the zone found.
    #[inline]
    fn is_admitted(&self, found: Found) -> bool {
        let (Found::Exact(node) | Found::Encloser { node, .. }) = found else { return true };
        let names = self.snapshot.names();
        let allowed = names.zone(names.node(node).zone).allow_query.as_deref();
        Options::admits(allowed, self.client.source)
    }

    /// The zone is not for this client; what led there is.
    fn keep_out(&self, reply: &mut Reply<'_>) {
        if !reply.has_answer() {
            reply.refuse(Rcode::Refused, Why::Prohibited);
        }
    }

    #[inline]
    fn exact(&mut self, id: NodeId, reply: &mut Reply<'_>) -> Step<'s> {
        let names = self.snapshot.names();
        let node = names.node(id);
        match node.role {
            Role::Below(above) => self.below((above, None), reply),
            Role::Cut if self.qtype != Rtype::DS => self.refer(id, reply),
            Role::Apex if self.qtype == Rtype::DS => {
                let zone = names.zone(node.zone).parent.unwrap_or(node.zone);
                self.data(&Hit { id, zone, expanded: None }, reply)
            }
            _ => self.data(&Hit { id, zone: node.zone, expanded: None }, reply),
        }
    }

    /// The name does not exist; `encloser` is what does.
    fn enclosed(&mut self, (encloser, below): (NodeId, usize), reply: &mut Reply<'_>) -> Step<'s> {
        let names = self.snapshot.names();
        let node = names.node(encloser);
        match node.role {
            Role::Below(above) => return self.below((above, None), reply),
            Role::Cut | Role::Redirect => return self.below((encloser, Some(below)), reply),
            Role::Apex if names.rrset(node, Rtype::DNAME).is_some() => {
                return self.below((encloser, Some(below)), reply);
            }
            Role::Plain | Role::Apex => {}
        }
        if self.qtype == Rtype::TXT && why::answer(self, reply) {
            return Step::Done;
        }
        if let Some(id) = names.wildcard_under(encloser) {
            let wildcard = names.node(id);
            let hit = Hit { id, zone: wildcard.zone, expanded: Some((encloser, below)) };
            return match wildcard.role {
                Role::Cut if self.qtype != Rtype::DS => self.refer(id, reply),
                _ => self.data(&hit, reply),
            };
        }
        reply.rcode = Rcode::NxDomain;
        self.negative(node.zone, Denied::Name { encloser, below }, reply)
    }

    /// The name lies below a zone cut or a DNAME.
    fn below(&mut self, (above, start): (NodeId, Option<usize>), reply: &mut Reply<'_>) -> Step<'s> {
        let names = self.snapshot.names();
        let node = names.node(above);
        let Some(dname) = names.rrset(node, Rtype::DNAME).filter(|_| node.role != Role::Cut) else {
            return self.refer(above, reply);
        };
        let Some(target) = names.rdata(dname).next() else { return Step::Done };
        reply.authoritative = true;
        let owner = names.name(node);
        let below = start.unwrap_or_else(|| self.folded.name().len() - owner.len());
        if self.trail.is_first(names.hash(owner)) {
            let row = Row { owner: Owner::Name(owner), rtype: Rtype::DNAME, ttl: dname.ttl, rdata: target };
            reply.require(Section::Answer, [row]);
            let at = Written { section: Section::Answer, owner: row.owner, ttl: dname.ttl };
            self.seal(node.zone, at, &names.signable(owner, dname), reply);
        }
        Step::Graft { below, target }
    }

    /// Moves from `X.owner` to `X.target` and adds the CNAME that says so
    /// (RFC 6672 §3.1); too long a name is YXDOMAIN.
    fn graft(&mut self, below: usize, target: &[u8], reply: &mut Reply<'_>) -> Option<()> {
        let old = self.trail.alias;
        let head = self.current(&old).get(..below)?;
        let Some(next) = Alias::join(head, target) else {
            reply.rcode = Rcode::YxDomain;
            return None;
        };
        let ttl = self.redirect_ttl(below)?;
        let row = Row { owner: old.owner(), rtype: Rtype::CNAME, ttl, rdata: next.name() };
        reply.require(Section::Answer, [row]);
        self.trail.alias = next;
        // Who asks for aliases has what was asked for.
        (self.qtype != Rtype::CNAME && self.qtype != Rtype::ANY).then_some(())
    }

    fn redirect_ttl(&self, below: usize) -> Option<u32> {
        let names = self.snapshot.names();
        let node = names.exact(self.folded.name().get(below..)?)?;
        names.rrset(names.node(node), Rtype::DNAME).map(|dname| dname.ttl)
    }

    /// The node answers for the current name: itself, or as a wildcard.
    #[inline]
    fn data(&self, hit: &Hit, reply: &mut Reply<'_>) -> Step<'s> {
        reply.authoritative = true;
        let names = self.snapshot.names();
        let node = names.node(hit.id);
        if let Some(service) = node.service
            && let Some(step) = steered::answer(self, (service, hit), reply)
        {
            return match step {
                steered::Answer::Complete => Step::Done,
                steered::Answer::Alias(name) => Step::Follow(name),
                steered::Answer::NoData => self.negative(hit.zone, Denied::Type(*hit), reply),
            };
        }
        let exact = hit.expanded.is_none();
        match self.qtype {
            Rtype::ANY => return self.any(hit, reply),
            Rtype::RRSIG if self.signatures(hit, reply) => return Step::Done,
            Rtype::NSEC if exact && self.nsec(hit, reply) => return Step::Done,
            _ => {}
        }
        if let Some(rrset) = names.rrset(node, self.qtype) {
            self.require(hit, rrset, reply);
            self.write_links(reply);
            self.additional((rrset, hit.zone), reply);
            return Step::Done;
        }
        if let Some(alias) = names.rrset(node, Rtype::CNAME) {
            self.require(hit, alias, reply);
            return names.rdata(alias).next().map_or(Step::Done, Step::Follow);
        }
        self.negative(hit.zone, Denied::Type(*hit), reply)
    }

    /// ANY gets the least that is true (RFC 8482 §4.2, §4.3).
    fn any(&self, hit: &Hit, reply: &mut Reply<'_>) -> Step<'s> {
        let names = self.snapshot.names();
        let node = names.node(hit.id);
        if node.is_empty() && node.service.is_none() {
            return self.negative(hit.zone, Denied::Type(*hit), reply);
        }
        if let Some(alias) = names.rrset(node, Rtype::CNAME) {
            self.require(hit, alias, reply);
            return Step::Done;
        }
        let row = Row { owner: self.owner(), rtype: HINFO, ttl: ANY_TTL, rdata: ANY_RDATA };
        reply.require(Section::Answer, [row]);
        if let Some(signing) = self.signing(hit.zone) {
            let at = Written { section: Section::Answer, owner: row.owner, ttl: ANY_TTL };
            let rdata = std::iter::once(ANY_RDATA);
            let set = Signable { owner: self.signed_owner(hit, signing), rtype: HINFO, ttl: ANY_TTL, rdata };
            self.seal(hit.zone, at, &set, reply);
            self.prove_expansion(hit, reply);
        }
        Step::Done
    }

    /// No such type, or no such name: the SOA says for how long.
    fn negative(&self, zone: ZoneId, denied: Denied, reply: &mut Reply<'_>) -> Step<'s> {
        reply.authoritative = true;
        let names = self.snapshot.names();
        let entry = names.zone(zone);
        let apex = names.name(names.node(entry.apex));
        let (owner, soa) = (Owner::Name(apex), entry.negative_soa);
        reply.require(Section::Authority, rows(names, owner, soa));
        let at = Written { section: Section::Authority, owner, ttl: soa.ttl };
        let set = Signable { ttl: entry.soa_ttl, ..names.signable(apex, soa) };
        self.seal(zone, at, &set, reply);
        self.prove(zone, denied, reply);
        Step::Done
    }

    /// Points at the child's name servers (RFC 1034 §4.3.2 step 3b). Glue
    /// that lies in the child must fit, or the client cannot go on
    /// (RFC 9471 §3.1).
    fn refer(&self, id: NodeId, reply: &mut Reply<'_>) -> Step<'s> {
        let names = self.snapshot.names();
        let cut = names.node(id);
        let Some(servers) = names.rrset(cut, Rtype::NS) else { return Step::Done };
        self.counters.refer();
        let name = names.name(cut);
        let owner = Owner::Name(name);
        reply.require(Section::Authority, rows(names, owner, servers));
        match names.rrset(cut, Rtype::DS).filter(|_| self.client.dnssec_ok) {
            Some(signer) => {
                reply.require(Section::Authority, rows(names, owner, signer));
                let at = Written { section: Section::Authority, owner, ttl: signer.ttl };
                self.seal(cut.zone, at, &names.signable(name, signer), reply);
            }
            None => self.prove_insecure(cut.zone, id, reply),
        }
        self.write_links(reply);
        self.glue((cut, servers), reply);
        Step::Done
    }

    /// Answers with an RRset of the tables.
    #[inline]
    fn require(&self, hit: &Hit, rrset: RrSet, reply: &mut Reply<'_>) {
        reply.require(Section::Answer, rows(self.snapshot.names(), self.owner(), rrset));
        if self.client.dnssec_ok {
            self.seal_static((hit, rrset), reply);
            self.prove_expansion(hit, reply);
        }
    }

    /// The owner of the current hop's records.
    pub(super) fn owner(&self) -> Owner<'_> {
        self.trail.alias.owner()
    }

    /// The current name, folded.
    pub(super) fn name(&self) -> &[u8] {
        self.folded.name()
    }

    fn current<'a>(&'a self, alias: &'a Alias) -> &'a [u8] {
        match alias.owner() {
            Owner::Question => self.client.qname,
            Owner::Name(name) => name,
        }
    }
}

pub(super) fn rows<'r>(names: &'r Names, owner: Owner<'r>, rrset: RrSet) -> impl Iterator<Item = Row<'r>> {
    let (rtype, ttl) = (rrset.rtype, rrset.ttl);
    names.rdata(rrset).map(move |rdata| Row { owner, rtype, ttl, rdata })
}

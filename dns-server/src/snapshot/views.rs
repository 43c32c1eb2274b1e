//! What one client is answered by each service, for zones that are transferred.
//!
//! A secondary cannot steer. It gives everyone what `view:` of the zone's
//! `transfer:` would be given here while every target is as assumed, with the
//! policy's TTL: a function of the policy and the databases alone. So a zone's
//! serial follows it, and neither health nor the time of day moves a serial.
//! Rules are asked at one fixed moment for the same reason.
//!
//! **Invariant:** the records of a zone are in the order of its static ones:
//! by owner, type and data, without duplicates.

use std::time::Duration;

use rhumb_health::Status;
use rhumb_policies::{Atlas, Client, Inputs, Outcome, Picks, State, World, advance, choose, client_hash};
use rhumb_zones::{LastResort, Prefix, Record, Rtype, ServiceId, ZoneId};

use super::rows::{A_ROW, AAAA_ROW, Addresses, ROW_HEAD, ServiceRows, VipRows};

/// When rules are asked: any moment would do, as long as it stays.
const MOMENT: Duration = Duration::ZERO;

/// Records of services as one client sees them, by zone.
#[derive(Clone, Debug, Default)]
pub struct Views {
    zones: Vec<Vec<Record>>,
}

impl Views {
    /// Of every zone that is transferred with a view.
    #[must_use]
    pub fn of(world: &World, atlas: &Atlas) -> Self {
        let zones = world.model().zones();
        let views = || zones.iter().map(|zone| zone.transfer.as_ref().and_then(|transfer| transfer.view));
        if views().all(|view| view.is_none()) {
            return Self::default();
        }
        let inputs = Inputs::new(world.model(), Status::Unknown);
        let mut state = advance(world, &State::default(), &inputs, MOMENT);
        state.select(world, atlas, &inputs);
        let renderer = Renderer { world, atlas, state: &state };
        let zone = |(zone, view): (&rhumb_zones::Zone, Option<Prefix>)| {
            let mut records: Vec<Record> = Vec::new();
            for &service in view.iter().flat_map(|_| &zone.services) {
                records.extend(view.into_iter().flat_map(|view| renderer.service(service, view)));
            }
            records.sort_by(|a, b| (&a.owner, a.rtype, &a.rdata).cmp(&(&b.owner, b.rtype, &b.rdata)));
            records.dedup();
            records
        };
        Self { zones: zones.iter().zip(views()).map(zone).collect() }
    }

    /// Adds a record to a zone's.
    pub(crate) fn add(&mut self, id: ZoneId, record: Record) {
        if self.zones.len() <= id.index() {
            self.zones.resize(id.index() + 1, Vec::new());
        }
        let records = &mut self.zones[id.index()];
        let at =
            records.partition_point(|other| (&other.owner, other.rtype) <= (&record.owner, record.rtype));
        records.insert(at, record);
    }

    /// Of this zone; empty for one without a view.
    #[must_use]
    pub fn zone(&self, id: ZoneId) -> &[Record] {
        self.zones.get(id.index()).map_or(&[], Vec::as_slice)
    }
}

struct Renderer<'a> {
    world: &'a World,
    atlas: &'a Atlas,
    state: &'a State,
}

impl Renderer<'_> {
    fn service(&self, id: ServiceId, view: Prefix) -> Vec<Record> {
        let model = self.world.model();
        let service = model.service(id);
        let (shape, state) = (self.atlas.shape(id), self.state.service(id));
        let (class, _) = shape.map().find(view.address(), view.length());
        let client = Client { class: self.state.class(shape, class), hash: client_hash(view), draw: 0 };
        let mut picks = Picks::default();
        let rows = ServiceRows::new(model, service);
        let data = match choose(shape, state, &client, &mut picks) {
            Outcome::Vips(_) => vips(picks.slots().iter().map(|slot| &rows.vips[slot.index()])),
            Outcome::RuleAddresses(rule) => rows.answer(rule).map(addresses).unwrap_or_default(),
            Outcome::FallbackAddresses => addresses(&rows.fallback),
            Outcome::FallbackName => match &service.last_resort {
                LastResort::Name(name) => vec![(Rtype::CNAME, name.as_wire())],
                _ => Vec::new(),
            },
            Outcome::Fail => Vec::new(),
        };
        let ttl = u32::try_from(service.ttl.as_secs()).unwrap_or(u32::MAX);
        let record = |(rtype, rdata): (Rtype, &[u8])| Record {
            owner: service.owner.clone(),
            rtype,
            ttl,
            rdata: rdata.into(),
        };
        data.into_iter().map(record).collect()
    }
}

fn vips<'r>(picked: impl Iterator<Item = &'r VipRows> + Clone) -> Vec<(Rtype, &'r [u8])> {
    if let Some(alias) = picked.clone().find_map(|vip| vip.alias.as_ref()) {
        return vec![(Rtype::CNAME, alias.as_wire())];
    }
    let mut data = Vec::new();
    for vip in picked {
        data.extend(addresses(&vip.addresses));
        data.extend(vip.https.as_deref().map(|rdata| (Rtype::HTTPS, rdata)));
        data.extend(vip.srv.as_deref().map(|rdata| (Rtype::SRV, rdata)));
    }
    data
}

fn addresses(Addresses { a, aaaa }: &Addresses) -> Vec<(Rtype, &[u8])> {
    let v4 = a.chunks_exact(A_ROW).map(|row| (Rtype::A, &row[ROW_HEAD..]));
    let v6 = aaaa.chunks_exact(AAAA_ROW).map(|row| (Rtype::AAAA, &row[ROW_HEAD..]));
    v4.chain(v6).collect()
}

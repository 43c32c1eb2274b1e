//! Which VIPs answer a client: the one choice that live answers, `explain`,
//! tests and simulations share.
//!
//! Everything that can be decided before a query has been: tiers by
//! [`advance`](crate::advance), the order of preference by
//! [`Atlas::survey`](crate::Atlas::survey). For a chain without dynamic steps
//! what is left is a walk along the class's order to the first slot of the
//! tier. Ties are broken here, in one pass per VIP answered and without
//! allocating. Only while a ramp runs is the tier itself found here.
//!
//! **Invariant:** nothing here allocates, locks, looks at a clock or logs.

use crate::layout::Ties;
use crate::lottery::{Seed, ramp_place, score};
use crate::mask::{Slot, VipMask};
use crate::shape::{Class, Shape};
use crate::state::{Outcome, Ramp, ServiceState, Tier};

/// What a choice depends on besides policy and health.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Of the service's shape.
    pub class: Class<'a>,
    /// [`client_hash`](crate::client_hash) of the scope prefix; looked at only
    /// when [`Shape::hashes_clients`].
    pub hash: u64,
    /// A random number per query.
    pub draw: u64,
}

/// The VIPs of an answer, in order.
#[derive(Clone, Default, Debug)]
pub struct Picks {
    slots: [Slot; Self::MAX],
    length: u8,
}

impl Picks {
    /// VIPs per answer: sixteen AAAA records of 28 bytes leave 52 of the 512
    /// bytes that every UDP client takes (RFC 1035 §4.2.1) for header and
    /// question.
    pub const MAX: usize = 16;

    /// The VIPs picked, as slots of the service.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots[..usize::from(self.length)]
    }

    const fn push(&mut self, slot: Slot) {
        self.slots[self.length as usize] = slot;
        self.length += 1;
    }

    const fn clear(&mut self) {
        self.length = 0;
    }

    const fn len(&self) -> usize {
        self.length as usize
    }
}

/// Picks the VIPs that answer `client`: at least one, if the outcome is VIPs,
/// and none otherwise.
#[inline]
pub fn choose(shape: &Shape, state: &ServiceState, client: &Client<'_>, picks: &mut Picks) -> Outcome {
    picks.clear();
    if let Some(ramp) = &state.ramp {
        return choose_in_ramp(shape, ramp, client, picks);
    }
    if let Outcome::Vips(_) = state.outcome {
        pick(shape, state.sets(), client, picks);
        if shape.explores != 0 && state.is_calm {
            explore(shape, state, client, picks);
        }
    }
    state.outcome
}

/// In a share of the draws, takes another link of the first one's group: what
/// is never answered is never seen as clients see it.
#[cold]
fn explore(shape: &Shape, state: &ServiceState, client: &Client<'_>, picks: &mut Picks) {
    let (share, draw) = (client.draw >> 32, client.draw & u64::from(u32::MAX));
    if share >= u64::from(shape.explores) {
        return;
    }
    let [first] = picks.slots() else { return };
    let may = |slot: Slot| slot != *first && state.sets().any(|set| set.has(slot));
    let mut groups = shape.groups(client.class);
    let Some((_, group)) = groups.find(|(_, slots)| slots.contains(first)) else { return };
    let others = || group.iter().copied().filter(|&slot| may(slot));
    let count = others().count().max(1) as u64;
    let at = usize::try_from(draw % count).expect("below a count");
    if let Some(other) = others().nth(at) {
        picks.clear();
        picks.push(other);
    }
}

/// The same while the tiers depend on the client.
#[cold]
fn choose_in_ramp(shape: &Shape, ramp: &Ramp, client: &Client<'_>, picks: &mut Picks) -> Outcome {
    let (mut first, mut second) = (ramp.open, ramp.second);
    for &(slot, share) in &*ramp.shares {
        let tier = if is_inside(shape, slot, share, client.hash) { &mut first } else { &mut second };
        tier.insert(slot);
    }
    let (tier, set) = if first.is_empty() { (Tier::Avoided, second) } else { (Tier::Allowed, first) };
    pick(shape, [set.and(ramp.preferred), set.without(ramp.preferred)].iter(), client, picks);
    Outcome::Vips(tier)
}

/// Whether the client is one of the `share` (a fraction of 2³²) to whom the
/// VIP of `slot` is back.
pub(crate) fn is_inside(shape: &Shape, slot: Slot, share: u32, hash: u64) -> bool {
    ramp_place(hash, shape.member(shape.egress(slot).member).luck) < share
}

/// Picks from `sets`, best first.
fn pick<'s>(shape: &Shape, sets: impl Iterator<Item = &'s VipMask>, client: &Client<'_>, picks: &mut Picks) {
    for set in sets.filter(|set| !set.is_empty()) {
        match shape.ties {
            None if shape.most == 1 => first(set, client, picks),
            Some(Ties::Rotated) => rotate(shape, set, client, picks),
            _ => draw(shape, set, client, picks),
        }
        if picks.len() >= shape.most || shape.ties == Some(Ties::Rotated) {
            break;
        }
    }
}

/// The first of the class's order.
fn first(set: &VipMask, client: &Client<'_>, picks: &mut Picks) {
    if let Some(&slot) = client.class.order.iter().find(|&&slot| set.has(slot)) {
        picks.push(slot);
    }
}

/// All VIPs of the best tied group, rotated.
fn rotate(shape: &Shape, set: &VipMask, client: &Client<'_>, picks: &mut Picks) {
    let rank = |slot: Slot| client.class.rank(shape.egress(slot).member);
    let present = client.class.order.iter().copied().filter(|&slot| set.has(slot));
    let Some(best) = present.clone().next().map(rank) else { return };
    let group = present.take_while(|&slot| rank(slot) == best);
    let count = group.clone().count();
    let start = usize::try_from(client.draw % count as u64).expect("below a count");
    group.cycle().skip(start).take(count.min(shape.most)).for_each(|slot| picks.push(slot));
}

/// One by one, whichever [`Bid`] is lowest.
fn draw(shape: &Shape, set: &VipMask, client: &Client<'_>, picks: &mut Picks) {
    let mut left = *set;
    while picks.len() < shape.most {
        let present = client.class.order.iter().copied().filter(|&slot| left.has(slot));
        let Some(best) = present.min_by_key(|&slot| Bid::new(shape, client, picks, slot)) else { return };
        picks.push(best);
        left.remove(best);
    }
}

/// What makes a VIP the next one, field by field, lowest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Bid {
    /// VIPs of its datacenter picked so far.
    picked: usize,
    /// Its datacenter's group.
    rank: u8,
    /// Its datacenter's luck; its own, where VIPs are drawn.
    luck: u64,
    /// Its datacenter, where that comes before its place.
    member: u8,
    /// Its place among its datacenter's VIPs.
    level: u8,
    link_luck: u64,
}

impl Bid {
    fn new(shape: &Shape, client: &Client<'_>, picks: &Picks, slot: Slot) -> Self {
        let egress = shape.egress(slot);
        let seed = |seed: Seed| match seed {
            Seed::Draw => client.draw,
            Seed::Client => client.hash,
        };
        let own = |lottery| score(seed(lottery), egress.luck, egress.weight);
        let luck = match shape.ties {
            Some(Ties::Vips(lottery)) => own(lottery),
            Some(Ties::Datacenters(lottery)) => {
                let member = shape.member(egress.member);
                score(seed(lottery), member.luck, member.weight)
            }
            _ => 0,
        };
        Self {
            picked: picks
                .slots()
                .iter()
                .filter(|&&other| shape.egress(other).member == egress.member)
                .count(),
            rank: client.class.rank(egress.member),
            luck,
            member: if shape.is_joint { 0 } else { egress.member },
            level: client.class.level(slot),
            link_luck: shape.link_lottery.map_or(0, own),
        }
    }
}

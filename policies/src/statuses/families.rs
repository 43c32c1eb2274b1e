//! VIPs whose addresses are checked one by one.
//!
//! A family (IPv4, IPv6) is up while any of its addresses is, and a VIP is as
//! good as the worst of its families: a client that prefers IPv6 must not be
//! sent where only IPv4 works. Within a family that is up, addresses that are
//! down are left out of answers.
//!
//! An address without a verdict counts as its last one, else as the VIP's if
//! that is given, else as `assume:` says.

use std::net::IpAddr;
use std::sync::Arc;

use rhumb_health::Status;
use rhumb_zones::{Assume, Vip, VipId};

use crate::chunks::Chunks;
use crate::inputs::Inputs;
use crate::part::Part;
use crate::world::World;

/// What is known of single addresses, by VIP.
#[derive(Clone, Default, Debug)]
pub(crate) struct Families(Chunks<Option<Family>>);

/// A VIP of which an address is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Family {
    /// The last verdicts known.
    pub(crate) known: Arc<[(IpAddr, bool)]>,
    /// What follows for the VIP.
    verdict: Status,
    left_out: LeftOut,
}

/// Addresses of one VIP that are left out of answers: bit `n` stands for its
/// `n`-th address of that family. Those after the 64th are never left out: an
/// answer that long is cut anyway.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LeftOut {
    /// Of its IPv4 addresses.
    pub v4: u64,
    /// Of its IPv6 addresses.
    pub v6: u64,
}

impl Family {
    /// What was remembered of a VIP, before anything is made of it.
    pub(crate) fn remembered(known: Vec<(IpAddr, bool)>) -> Self {
        Self { known: known.into(), verdict: Status::Unknown, left_out: LeftOut::default() }
    }

    fn new(vip: &Vip, known: Vec<(IpAddr, bool)>, assumed: bool) -> Self {
        let is_up = |address: &IpAddr| {
            known.iter().find(|(known, _)| known == address).map_or(assumed, |&(_, is_up)| is_up)
        };
        let down = |is_in: fn(&IpAddr) -> bool| {
            let states: Vec<bool> = vip.addresses.iter().filter(|one| is_in(one)).map(is_up).collect();
            let is_well = states.is_empty() || states.contains(&true);
            let bits = states.iter().take(64).enumerate().filter(|(_, is_up)| !**is_up);
            (is_well, if is_well { bits.fold(0, |mask, (bit, _)| mask | 1 << bit) } else { 0 })
        };
        let ((v4_well, v4), (v6_well, v6)) = (down(IpAddr::is_ipv4), down(IpAddr::is_ipv6));
        let verdict = if v4_well && v6_well { Status::Up } else { Status::Down };
        Self { known: known.into(), verdict, left_out: LeftOut { v4, v6 } }
    }
}

impl Families {
    /// Nothing known of so many VIPs.
    pub(crate) fn unknown(vips: usize) -> Self {
        Self(Chunks::filled(&None, vips))
    }

    /// Whether it is of so many VIPs.
    pub(super) const fn is_of(&self, vips: usize) -> bool {
        self.0.len() == vips
    }

    pub(crate) fn remember(&mut self, vip: VipId, family: Family) {
        self.0.set(vip.index(), Some(family));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (VipId, &Family)> {
        let known = self.0.iter().enumerate();
        known.filter_map(|(vip, family)| Some((VipId::new(vip), family.as_ref()?)))
    }

    /// Brings one VIP up to date; says whether it is otherwise now. Where it
    /// `is_forced` up or down, its addresses are too.
    pub(super) fn hear(&mut self, world: &World, id: VipId, inputs: &Inputs, is_forced: bool) -> bool {
        let vip = world.model().vip(id);
        let told = inputs.addresses.get(vip.target.index()).as_deref();
        let kept = self.0.get(id.index()).as_ref();
        if told.is_none() && kept.is_none() {
            return false;
        }
        let whole = *inputs.verdicts.get(vip.target.index());
        let kept = kept.filter(|_| told.is_some() || whole == Status::Unknown);
        let known = known(vip, told.unwrap_or_default(), kept.map_or(&[], |kept| &kept.known));
        let assumed = match whole {
            Status::Up => true,
            Status::Down => false,
            Status::Unknown => world.model().target(vip.target).assume == Assume::Up,
        };
        let family = (!known.is_empty()).then(|| {
            let family = Family::new(vip, known, assumed);
            if is_forced { Family { left_out: LeftOut::default(), ..family } } else { family }
        });
        self.0.set(id.index(), family)
    }

    /// The verdict of a VIP of which an address is known.
    pub(super) fn verdict(&self, part: Part) -> Option<Status> {
        let Part::Vip(vip) = part else { return None };
        self.0.get(vip.index()).as_ref().map(|family| family.verdict)
    }

    /// What is left out of answers with `vip`.
    pub(crate) fn left_out(&self, vip: VipId) -> LeftOut {
        self.0.get(vip.index()).as_ref().map(|family| family.left_out).unwrap_or_default()
    }

    pub(crate) fn leave_out_any(&self, vips: &[VipId]) -> bool {
        vips.iter().any(|&vip| self.left_out(vip) != LeftOut::default())
    }
}

/// What is known of the addresses of `vip`: what is `told`, else what is `kept`.
fn known(vip: &Vip, told: &[(IpAddr, Status)], kept: &[(IpAddr, bool)]) -> Vec<(IpAddr, bool)> {
    let find = |address: &IpAddr| {
        let told = told.iter().find(|(known, _)| known == address).map(|(_, status)| *status);
        let is_up = match told.unwrap_or_default() {
            Status::Up => true,
            Status::Down => false,
            Status::Unknown => kept.iter().find(|(known, _)| known == address)?.1,
        };
        Some((*address, is_up))
    };
    vip.addresses.iter().filter_map(find).collect()
}

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

use rhumb_health::Status;
use rhumb_zones::{Assume, TargetId, Vip, VipId};
use rustc_hash::FxHashMap;

use super::Statuses;
use crate::inputs::Inputs;
use crate::world::World;

/// What is known of single addresses.
#[derive(Clone, Default, Debug)]
pub(crate) struct Families {
    /// The last verdicts known, by VIP.
    pub(crate) known: FxHashMap<TargetId, Vec<(IpAddr, bool)>>,
    /// What follows for VIPs of which an address is known.
    verdicts: FxHashMap<TargetId, Status>,
    pub(super) left_out: FxHashMap<VipId, LeftOut>,
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

impl Families {
    pub(super) fn new(world: &World, previous: &Statuses, inputs: &Inputs) -> Self {
        let mut families = Self::default();
        if inputs.addresses.is_empty() && previous.families.known.is_empty() {
            return families;
        }
        for (index, vip) in world.model().vips().iter().enumerate() {
            let told = inputs.addresses.get(&vip.target).map(|told| &told[..]);
            let whole = inputs.verdicts[vip.target.index()];
            let kept = previous.families.known.get(&vip.target);
            let kept = kept.filter(|_| told.is_some() || whole == Status::Unknown);
            let known = known(vip, told.unwrap_or_default(), kept.map_or(&[], |kept| &kept[..]));
            if known.is_empty() {
                continue;
            }
            let assumed = match whole {
                Status::Up => true,
                Status::Down => false,
                Status::Unknown => world.model().target(vip.target).assume == Assume::Up,
            };
            families.add(VipId::new(index), vip, known, assumed);
        }
        families
    }

    fn add(&mut self, id: VipId, vip: &Vip, known: Vec<(IpAddr, bool)>, assumed: bool) {
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
        self.verdicts.insert(vip.target, if v4_well && v6_well { Status::Up } else { Status::Down });
        self.known.insert(vip.target, known);
        if v4 | v6 != 0 {
            self.left_out.insert(id, LeftOut { v4, v6 });
        }
    }

    /// The verdict of a VIP of which an address is known.
    pub(super) fn verdict(&self, vip: TargetId) -> Option<Status> {
        self.verdicts.get(&vip).copied()
    }

    /// What is left out of answers with `vip`.
    pub(crate) fn left_out(&self, vip: VipId) -> LeftOut {
        self.left_out.get(&vip).copied().unwrap_or_default()
    }

    pub(crate) fn leave_out_any(&self, vips: &[VipId]) -> bool {
        !self.left_out.is_empty() && vips.iter().any(|vip| self.left_out.contains_key(vip))
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

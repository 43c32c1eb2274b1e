//! Faults and what must follow, for clients near each datacenter.
//!
//! Normally a client near the north, a customer of `telecom`, enters there
//! over `telecom`; one near the south over the south's `unicom`. `any` reads
//! anywhere, `pri` needs its primary in the north, `web` is `any` with checks
//! from outside. Rows say what differs.

use super::rows::Row;
use crate::fault::How::{Cut, Drop, Kill, Reject};
use crate::fault::Part::{Balancer, Balancers, Egress, Interconnect, Intranet, Link, Nodes};

/// Egress and balancers, one by one and all.
pub(crate) const SINGLE: &[Row] = &[
    Row {
        name: "link north/telecom cut: the sibling link of the same datacenter",
        strikes: &[(Link("north", "telecom"), Cut)],
        changes: &[("north", "all", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "link north/unicom silent: nobody is answered it, nobody moves",
        strikes: &[(Link("north", "unicom"), Drop)],
        ..Row::NOTHING
    },
    Row {
        name: "egress north: the other datacenter",
        strikes: &[(Egress("north"), Cut)],
        changes: &[("north", "all", "south/telecom")],
        plan: &[("north", "south"), ("south", "south")],
        ..Row::NOTHING
    },
    Row {
        name: "egress south behind a firewall that refuses: the other datacenter",
        strikes: &[(Egress("south"), Reject)],
        changes: &[("south", "all", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "balancer north/lb1 killed: its sibling takes over, no answer moves",
        strikes: &[(Balancer("north", "lb1"), Kill)],
        ..Row::NOTHING
    },
    Row {
        name: "balancers north killed: the other datacenter",
        strikes: &[(Balancers("north"), Kill)],
        changes: &[("north", "all", "south/telecom")],
        plan: &[("south", "north")],
        ..Row::NOTHING
    },
    Row {
        name: "balancers south cut: the other datacenter",
        strikes: &[(Balancers("south"), Cut)],
        changes: &[("south", "all", "north/unicom")],
        ..Row::NOTHING
    },
];

/// What users do not see the inside of.
pub(crate) const PRIVATE: &[Row] = &[
    Row {
        name: "interconnect cut: all to the primary, after its hold",
        strikes: &[(Interconnect("north", "south"), Cut)],
        changes: &[("south", "pri", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "interconnect silent: all to the primary, after its hold",
        strikes: &[(Interconnect("north", "south"), Drop)],
        changes: &[("south", "pri", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "intranet north cut: balancers go over the interconnect, no answer moves",
        strikes: &[(Intranet("north"), Cut)],
        pages: &[("north", "south")],
        plan: &[("north", "south"), ("south", "south")],
        ..Row::NOTHING
    },
    Row {
        name: "intranet south silent: balancers go over the interconnect, no answer moves",
        strikes: &[(Intranet("south"), Drop)],
        pages: &[("south", "north")],
        plan: &[("south", "north"), ("north", "north")],
        ..Row::NOTHING
    },
    Row {
        name: "nodes south killed: balancers go over the interconnect, no answer moves",
        strikes: &[(Nodes("south"), Kill)],
        pages: &[("south", "north")],
        plan: &[("south", "north")],
        ..Row::NOTHING
    },
];

/// Several at once.
pub(crate) const COMPOUND: &[Row] = &[
    Row {
        name: "intranet north and interconnect: reads go south, writes have nowhere left",
        strikes: &[(Intranet("north"), Cut), (Interconnect("north", "south"), Cut)],
        changes: &[("north", "any", "south/telecom")],
        last_resort: &["pri"],
        ..Row::NOTHING
    },
    Row {
        name: "intranet south and interconnect: the south is an island",
        strikes: &[(Intranet("south"), Cut), (Interconnect("north", "south"), Cut)],
        changes: &[("south", "all", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "interconnect and link north/unicom: writes over the link that is left",
        strikes: &[(Interconnect("north", "south"), Cut), (Link("north", "unicom"), Cut)],
        changes: &[("south", "pri", "north/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "egress north and balancers south: nothing left, answered and flagged",
        strikes: &[(Egress("north"), Cut), (Balancers("south"), Kill)],
        last_resort: &["all"],
        ..Row::NOTHING
    },
    Row {
        name: "balancers north and intranet south: the south serves from the north's nodes",
        strikes: &[(Balancers("north"), Kill), (Intranet("south"), Cut)],
        changes: &[("north", "all", "south/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "balancers north and interconnect: reads go south, writes have nowhere left",
        strikes: &[(Balancers("north"), Kill), (Interconnect("north", "south"), Cut)],
        changes: &[("north", "any", "south/telecom")],
        last_resort: &["pri"],
        ..Row::NOTHING
    },
    Row {
        name: "all balancers killed: an outage of everything, and none of the server's own",
        strikes: &[(Balancers("north"), Kill), (Balancers("south"), Kill)],
        last_resort: &["all"],
        ..Row::NOTHING
    },
    Row {
        name: "all egress silent: still no fault of the server, which sees the insides",
        strikes: &[(Egress("north"), Drop), (Egress("south"), Drop)],
        last_resort: &["all"],
        ..Row::NOTHING
    },
];

/// With a third datacenter, near whose clients `telecom` is the carrier.
pub(crate) const THREE: &[Row] = &[
    Row {
        name: "three: egress north: the next nearest",
        strikes: &[(Egress("north"), Cut)],
        changes: &[("north", "all", "west/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "three: interconnect north/south: the south writes through the west's nodes",
        strikes: &[(Interconnect("north", "south"), Cut)],
        ..Row::NOTHING
    },
    Row {
        name: "three: the south alone: its writes enter in the west",
        strikes: &[(Interconnect("north", "south"), Cut), (Interconnect("south", "west"), Cut)],
        changes: &[("south", "pri", "west/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "three: the primary alone: all to it",
        strikes: &[(Interconnect("north", "south"), Cut), (Interconnect("north", "west"), Cut)],
        changes: &[("south", "pri", "north/unicom"), ("west", "pri", "north/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "three: egress north and balancers west: all to the south",
        strikes: &[(Egress("north"), Cut), (Balancers("west"), Kill)],
        changes: &[("north", "all", "south/telecom"), ("west", "all", "south/telecom")],
        ..Row::NOTHING
    },
];

/// With probers inside the datacenters, who vote over their own links; the
/// server itself sees only the Internet.
pub(crate) const PROBERS: &[Row] = &[
    Row {
        name: "probers: link north/telecom silent: both outsides agree",
        strikes: &[(Link("north", "telecom"), Drop)],
        changes: &[("north", "all", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "probers: balancers north killed: seen from inside alone",
        strikes: &[(Balancers("north"), Kill)],
        changes: &[("north", "all", "south/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "probers: interconnect cut: both ends agree, after its hold",
        strikes: &[(Interconnect("north", "south"), Cut)],
        changes: &[("south", "pri", "north/unicom")],
        ..Row::NOTHING
    },
    Row {
        name: "probers: intranet south silent: seen from inside alone, no answer moves",
        strikes: &[(Intranet("south"), Drop)],
        ..Row::NOTHING
    },
    Row {
        name: "probers: egress north: its own probers fall silent",
        strikes: &[(Egress("north"), Cut)],
        changes: &[("north", "all", "south/telecom")],
        ..Row::NOTHING
    },
    Row {
        name: "probers: egress south, then link north/telecom: the votes that are left",
        strikes: &[(Egress("south"), Cut), (Link("north", "telecom"), Cut)],
        changes: &[("south", "all", "north/unicom"), ("north", "all", "north/unicom")],
        ..Row::NOTHING
    },
];

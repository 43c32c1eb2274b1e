//! Who should be answered what: paths, steering, decisions and their reasons.
//!
//! Three questions, each answered when its inputs change and not before:
//!
//! ```text
//! policy changes        World::compile   arguments of plugins are read
//! policy or geo changes Atlas::survey    places ─► classes, an order of VIPs per class
//! health changes        advance          statuses ─► paths ─► tiers: a few bits per service
//! a query comes         choose           the first VIP of the class's order in the tier
//! ```
//!
//! No table multiplies services by classes by health: orders know nothing of
//! faults, tiers nothing of clients, and they meet in [`choose()`], which walks
//! one against the other. [`explain()`] calls the same functions and says why.
//!
//! A state says when it would change by itself, and is saved and restored under
//! names.
//!
//! What may be answered at all is fixed by the path rule (`path`), the tiers
//! and their Law (`state`); policies only order what these allow. Steering
//! methods and link selectors are plugins: one file and one line of a table
//! each (`steer`, `link`).
//!
//! **Invariant:** this crate knows no packets, sockets, files or clocks; every
//! function is a function of its arguments.

mod atlas;
mod choose;
mod chunks;
mod clock;
mod event;
mod explain;
mod inputs;
mod layout;
pub mod link;
mod lottery;
mod mask;
mod operator;
mod part;
mod path;
mod plugin;
mod rule;
mod shape;
mod state;
mod statuses;
mod steer;
mod view;
mod world;

pub use atlas::Atlas;
pub use choose::{Client, Picks, choose};
pub use event::{Event, EventKind, Phase, Severity, events, link_moves, standing};
pub use explain::{Candidate, Explanation, LinkScore, Question, explain};
pub use inputs::{Action, Inputs, Override};
pub use lottery::client_hash;
pub use mask::{Slot, VipMask};
pub use path::{BalancerPlan, PlannedNode, node_plan};
pub use rule::{Facts, RuleState, Rules};
pub use shape::{Class, Ranked, Shape};
pub use state::{
    Decision, LinkShare, LinkSummary, Outcome, Renames, RestoreError, ServiceState, State, TargetState, Tier,
    advance,
};
pub use statuses::LeftOut;
pub use world::World;

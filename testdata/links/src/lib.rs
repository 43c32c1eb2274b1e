//! Traces of links whose truth is known, to judge link selection by.
//!
//! A [`World`] has links of several carriers and classes of clients; its
//! [`Weather`] makes them better and worse over time: busy evenings, crowded
//! carriers, bursts of loss, slow drift, brown-outs. A [`Truth`] says how good a
//! link then really is for a class. Operators see none of it: what a
//! [`Candidate`] shows is what probes and ratings would, with their noise, and
//! the label of a decision is sometimes wrong. A [`Kind`] joins weather and
//! truth under a name; [`trace`] gives its decisions for a seed, and the seed
//! alone decides. [`series`] has the same as it goes by, probe after probe, for
//! what must stay calm; [`planetlab`] has delays that were really measured.
//!
//! Every constant carries its reason where it stands. Those that say "ours" are
//! guesses at what is usual; the README tells what else was measured.
//!
//! Refused: `rand` (its generators may change with versions, and a trace must
//! not) and recorded traces of one operator (nobody publishes links of several
//! carriers with their outcomes).
//!
//! **Invariant:** nothing here imports what it judges: the truth does not know
//! the formula, except where a kind is named after it.

mod kind;
pub mod planetlab;
mod random;
pub mod series;
mod trace;
mod truth;
mod weather;
mod world;

pub use kind::{KINDS, Kind};
pub use trace::{Candidate, Decision, HEADER, How, trace, write};
pub use truth::Truth;
pub use weather::Weather;
pub use world::World;

//! What the link model is worth, on traces whose truth is known.
//!
//! The traces come from `testdata/links`, which knows nothing of what it
//! judges. Models learn from labels alone, a tenth of them wrong, on seeds 1–7;
//! all are judged on seeds 101–114. Each seed is another world: other
//! links, clients and ways. Three say what a figure means, since no operator
//! has them: the *oracle* always picks the best and loses nothing; the *seer*
//! knows the truth but sees only what probes and ratings show, so no selector
//! can be much better; *last window* picks what was truly best ten minutes
//! before.
//!
//! `cargo test -p rhumb-policies --test proof -- --nocapture` prints what the
//! table in `testdata/links/README.md` says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "the table is for people")]

mod bars;
mod calm;
mod few;
mod ground;

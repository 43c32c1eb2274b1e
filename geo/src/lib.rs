//! Where a client is: databases and operator prefixes compiled into one place
//! table.
//!
//! [`Database`] reads one `.mmdb` file, given as bytes. A [`Gazetteer`] is all
//! databases of a process laid over each other: big, slow to make, kept until
//! a file changes. A [`PlaceTable`] is a gazetteer under what the operator wrote
//! (carriers, prefixes): made in milliseconds on every policy reload. From it
//! each shape of policy gets a [`ClassMap`], which is all that a query
//! touches: address → class and EDNS Client Subnet scope, without allocating.
//!
//! ```text
//! bytes ─► Database ─┐
//! bytes ─► Database ─┼─► Gazetteer ─┐
//! embedded ──────────┘          ├─► PlaceTable ─► ClassMap (one per shape)
//! carriers, operator prefixes ──┘
//! ```
//!
//! Every look-up is total: an address that nobody knows is in
//! [`PlaceId::NOWHERE`].
//!
//! **Invariant:** this crate knows nothing of DNS messages, health or policy,
//! opens no file and reads no clock.

mod address;
pub mod carrier;
mod class;
mod code;
mod country;
mod distance;
mod embedded;
mod gazetteer;
mod mmdb;
mod names;
mod overlay;
mod packed;
mod place;
mod ranges;
mod table;

pub use address::{inner_v4, is_private};
pub use class::{Approach, ClassId, ClassMap, MAX_SCOPE_V4, MAX_SCOPE_V6};
pub use code::{Continent, Country, Subdivision};
pub use distance::{Direction, distance_km};
pub use gazetteer::Gazetteer;
pub use mmdb::{Database, DatabaseError};
pub use place::{Place, PlaceId};
pub use table::{Located, PlaceTable};

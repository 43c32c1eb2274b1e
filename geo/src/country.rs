//! Where countries are: for databases that know the country only.

use rhumb_zones::Point;

use crate::code::{Continent, Country};

impl Country {
    /// The continent it is counted to; nothing when there is no such country.
    #[must_use]
    pub fn continent(self) -> Option<Continent> {
        None
    }

    /// Where its people are.
    #[must_use]
    pub fn point(self) -> Option<Point> {
        None
    }
}

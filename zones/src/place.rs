//! A point on the globe.

/// Latitude and longitude in degrees, as `at: [latitude, longitude]` gives them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Degrees north, −90 to 90.
    pub latitude: f64,
    /// Degrees east, −180 to 180.
    pub longitude: f64,
}

impl Point {
    /// A point, or nothing when a coordinate is not finite or out of range.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        ((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude))
            .then_some(Self { latitude, longitude })
    }
}

//! Great-circle distance.
//!
//! [`distance_km`] is for people: what `explain` prints and what `within: 300km`
//! means. [`Direction`] is for ordering: a point as a unit vector, so that
//! comparing many clients with many datacenters costs three multiplications
//! each instead of five trigonometric calls; the chord grows with the arc, so
//! both order alike.
//!
//! The Earth is taken as a sphere: against the ellipsoid the error is at most
//! 0.6 %, and a network path errs by far more.

use rhumb_zones::Point;

/// Mean radius of the Earth in kilometres: R₁ = (2a + b)/3 of the GRS 80
/// ellipsoid (H. Moritz, "Geodetic Reference System 1980", Journal of Geodesy
/// 74, 2000).
const MEAN_RADIUS_KM: f64 = 6_371.008_8;

/// Kilometres along the great circle, 0 to 20,016, by the haversine formula,
/// which stays exact for near points (R. W. Sinnott, "Virtues of the
/// Haversine", Sky and Telescope 68, 1984).
#[must_use]
pub fn distance_km(a: Point, b: Point) -> f64 {
    let (latitude_a, latitude_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half_north = ((latitude_b - latitude_a) / 2.0).sin();
    let half_east = ((b.longitude - a.longitude).to_radians() / 2.0).sin();
    let h = half_north * half_north + latitude_a.cos() * latitude_b.cos() * half_east * half_east;
    2.0 * MEAN_RADIUS_KM * h.clamp(0.0, 1.0).sqrt().asin()
}

/// A point as a unit vector from the centre of the Earth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Direction([f64; 3]);

impl Direction {
    /// The direction of `point`.
    #[must_use]
    pub fn new(point: Point) -> Self {
        let (north, up) = point.latitude.to_radians().sin_cos();
        let (east, ahead) = point.longitude.to_radians().sin_cos();
        Self([up * ahead, up * east, north])
    }

    /// The square of the straight line between two directions, 0 (same) to 4
    /// (opposite), in Earth radii: it grows with [`distance_km`], so it orders
    /// points as distance does, for less.
    #[must_use]
    pub fn chord_squared(self, other: Self) -> f64 {
        let square = |i: usize| (self.0[i] - other.0[i]) * (self.0[i] - other.0[i]);
        square(0) + square(1) + square(2)
    }

    /// Kilometres along the great circle; differs from [`distance_km`] by
    /// rounding only.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let half = self.chord_squared(other).sqrt() / 2.0;
        2.0 * MEAN_RADIUS_KM * half.min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(latitude: f64, longitude: f64) -> Point {
        Point::new(latitude, longitude).unwrap()
    }

    #[test]
    fn distances() {
        let (quarter, half) = (10_007.557, 20_015.115);
        let rows = [
            ((50.1, 8.7), (50.1, 8.7), 0.0, "the same point"),
            ((0.0, 0.0), (0.0, 90.0), quarter, "a quarter of the equator"),
            ((90.0, 0.0), (-90.0, 77.0), half, "pole to pole, whatever the meridian"),
            ((0.0, 179.5), (0.0, -179.5), 111.195, "over the date line"),
            ((51.5074, -0.1278), (40.7128, -74.0060), 5_570.222, "London to New York"),
            ((39.9042, 116.4074), (23.1291, 113.2644), 1_889.0, "Beijing to Guangzhou"),
        ];
        for ((a, b), (c, d), want, why) in rows {
            let got = distance_km(point(a, b), point(c, d));
            assert!((got - want).abs() < 1.0, "{why}: {got} instead of {want}");
        }
    }

    proptest! {
        #[test]
        fn chord_and_arc_agree(
            a in (-90.0..=90.0, -180.0..=180.0),
            b in (-90.0..=90.0, -180.0..=180.0),
        ) {
            let (a, b) = (point(a.0, a.1), point(b.0, b.1));
            let by_chord = Direction::new(a).distance_km(Direction::new(b));
            prop_assert!((distance_km(a, b) - by_chord).abs() < 1e-3, "a metre is more than rounding");
        }
    }
}

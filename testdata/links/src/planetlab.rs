//! Delays that were measured: 200 nodes of PlanetLab in two time slices.
//!
//! `planetlab.txt` has a row for each node but the first: its round trips to
//! all nodes before it, `first:second` slice, in tenths of a millisecond. Its
//! source and licence are in the README.

/// Round trips between nodes.
#[derive(Debug)]
pub struct PlanetLab {
    /// By the farther node, then by the nearer; both slices, ms.
    rows: Vec<Vec<[f64; 2]>>,
}

impl PlanetLab {
    /// How many nodes there are.
    pub const NODES: usize = 200;

    /// Reads what is vendored.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the file is part of the program, and a test reads it")]
    pub fn read() -> Self {
        let number = |tenths: &str| tenths.parse::<f64>().expect("numbers, by test") / 10.0;
        let pair = |pair: &str| {
            let (first, second) = pair.split_once(':').expect("both slices, by test");
            [number(first), number(second)]
        };
        let row = |line: &str| line.split(' ').map(pair).collect();
        Self { rows: include_str!("../planetlab.txt").lines().map(row).collect() }
    }

    /// The round trip between two nodes in each slice, ms; 0 from a node to
    /// itself.
    ///
    /// # Panics
    ///
    /// For nodes from [`PlanetLab::NODES`] on.
    #[must_use]
    pub fn round_trip_ms(&self, one: usize, other: usize) -> [f64; 2] {
        let (near, far) = (one.min(other), one.max(other));
        if near == far { [0.0; 2] } else { self.rows[far - 1][near] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_whole() {
        let planetlab = PlanetLab::read();
        let mut changes = Vec::new();
        for one in 0..PlanetLab::NODES {
            for other in 0..one {
                let [first, second] = planetlab.round_trip_ms(one, other);
                assert!((0.1..3_000.0).contains(&first) && (0.1..3_000.0).contains(&second), "{one} {other}");
                assert!(planetlab.round_trip_ms(other, one) == [first, second], "either way");
                changes.push((second / first).ln().abs());
            }
        }
        changes.sort_by(f64::total_cmp);
        let at = |share: usize| changes[changes.len() * share / 100];
        assert!(at(50) < 0.01 && at(95) > 0.1, "most pairs are steady, some are not: {} {}", at(50), at(95));
    }
}

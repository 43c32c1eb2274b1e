//! What links cost each class of clients: prices and weights, class by class.
//!
//! A [`Survey`] goes over all places together with the classes it makes; what
//! is left is the mean distance of every class from every place where links
//! leave. Means are of places, one voice each: how many clients live in one is
//! nobody's knowledge here. Of large classes a sixteenth of the places has to do:
//! a great circle takes 40 ns, and a third of a million places times eight
//! datacenters times every shape would be felt at each reload.

use rhumb_geo::ClassId;

use super::price::{Fare, Pricer};
use crate::view::View;

/// Fares of all classes of a shape.
#[derive(Debug)]
pub(crate) struct Fares {
    pricer: Pricer,
    /// By class, as [`Pricer::mark`] gives them.
    marks: Vec<u8>,
    /// By class and place, kilometres.
    distances: Vec<f32>,
}

impl Fares {
    pub(crate) const fn pricer(&self) -> &Pricer {
        &self.pricer
    }

    /// Those of one class.
    pub(crate) fn of(&self, class: ClassId) -> Fare<'_> {
        let (index, width, places) = (class.index(), self.pricer.width(), self.pricer.places());
        Fare::new(&self.marks[index * width..][..width], &self.distances[index * places..][..places])
    }

    /// What tells a class from others with its key.
    pub(crate) fn marks(&self, class: ClassId) -> &[u8] {
        let width = self.pricer.width();
        &self.marks[class.index() * width..][..width]
    }
}

/// Fares in the making.
#[derive(Debug)]
pub(crate) struct Survey {
    pricer: Pricer,
    marks: Vec<u8>,
    /// By class and place: the sum of distances.
    sums: Vec<f64>,
    /// By class: places whose distances are summed up.
    counts: Vec<u32>,
    /// By class: places so far.
    met: Vec<u32>,
}

/// So many places of a class are all looked at, and of more every
/// [`STRIDE`]th.
const ALL: u32 = 256;
const STRIDE: u32 = 16;

impl Survey {
    pub(crate) const fn new(pricer: Pricer) -> Self {
        Self { pricer, marks: Vec::new(), sums: Vec::new(), counts: Vec::new(), met: Vec::new() }
    }

    pub(crate) const fn pricer(&self) -> &Pricer {
        &self.pricer
    }

    /// Begins another class.
    pub(crate) fn open(&mut self, marks: &[u8]) {
        self.marks.extend_from_slice(marks);
        self.sums.resize(self.sums.len() + self.pricer.places(), 0.0);
        self.counts.push(0);
        self.met.push(0);
    }

    /// Adds a place to its class.
    pub(crate) fn add(&mut self, class: ClassId, view: &View<'_>) {
        let met = &mut self.met[class.index()];
        *met += 1;
        if *met > ALL && !met.is_multiple_of(STRIDE) {
            return;
        }
        let Some(distances) = self.pricer.distances(view) else { return };
        let sums = &mut self.sums[class.index() * self.pricer.places()..];
        sums.iter_mut().zip(distances).for_each(|(sum, distance)| *sum += distance);
        self.counts[class.index()] += 1;
    }

    /// All classes are known.
    #[expect(clippy::cast_possible_truncation, reason = "kilometres need no more")]
    pub(crate) fn finish(self) -> Fares {
        let Self { pricer, marks, sums, counts, met: _ } = self;
        let places = pricer.places().max(1);
        let mean = |(index, sum): (usize, f64)| (sum / f64::from(counts[index / places])) as f32; // 0/0 is not a number
        let distances = sums.into_iter().enumerate().map(mean).collect();
        Fares { pricer, marks, distances }
    }
}

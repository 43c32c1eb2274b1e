//! How far links are from clients, and how much clients want them.
//!
//! What measured selection tells clients apart by, besides steering: the
//! *price* of every link, which is the great circle from the client to where
//! the link leaves plus a step where another link reaches the client's carrier, or
//! the client's country or region is another; and the weight that the client's
//! group gives the link. Steps and weights are part of a class. Distance is
//! not, or every city would be one: where links of one group leave at different
//! places, clients are told apart by the cell of the globe they are in, and in
//! any case a class's distance is the mean over its places.
//!
//! Steps are in kilometres because distance is: at 21 ms per 1,000 km, the
//! median of 57,807 measured pairs of cities, another carrier costs the 40 ms
//! that it costs between provinces of China; another country 20 ms and another
//! region of one country 10 ms, beyond what the distance says (ours).
//!
//! Where a client is not known to be, only steps count; a link whose own place
//! is unknown, among links of known place, has no price.

use rhumb_geo::{Country, Direction, Subdivision};
use rhumb_zones::{CarrierId, LinkId, Model, Point};

use super::feature::LinkFacts;
use crate::layout::{Egress, Layout, Ties};
use crate::mask::Slot;
use crate::view::View;
use crate::world::World;

/// Kilometres for a client of another carrier.
const CARRIER_KM: f64 = 1_900.0;

/// Kilometres for a client of another country.
const COUNTRY_KM: f64 = 1_000.0;

/// Kilometres for a client of another region of the same country.
const REGION_KM: f64 = 500.0;

/// Height of a cell in degrees, about 550 km: the globe has 1,654 cells, its
/// land some 600, and within one the price errs by 300 km, a tenth of a nat.
const CELL_DEGREES: f64 = 5.0;

/// The cell of clients whose place is unknown.
const NOWHERE: u16 = u16::MAX;

/// A country, or a part of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    country: Country,
    part: Option<Subdivision>,
}

impl Region {
    /// The region of a code such as `CN` or `CN-BJ`.
    pub(crate) fn new(code: &str) -> Option<Self> {
        let (country, part) =
            code.split_once('-').map_or((code, None), |(country, part)| (country, Some(part)));
        let part = part.map(|part| Subdivision::new(part).ok_or(())).transpose().ok()?;
        Some(Self { country: Country::new(country)?, part })
    }
}

/// Where the links of a layout leave.
#[derive(Debug)]
pub(crate) struct Pricer {
    /// By slot.
    exits: Vec<Exit>,
    /// Places where links leave, each once.
    places: Vec<Direction>,
    /// Whether clients are told apart by where they are.
    has_cells: bool,
    /// Whether some group of clients prefers links.
    has_weights: bool,
}

/// Where a link leaves, and what is said of it.
#[derive(Debug)]
struct Exit {
    place: Option<usize>,
    region: Option<Region>,
    carriers: Vec<CarrierId>,
    link: Option<LinkId>,
    quality: Option<f64>,
    cost: Option<f64>,
}

/// What is known of one client, or of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fare<'a> {
    /// Steps by slot, then weights where there are some.
    marks: &'a [u8],
    /// Kilometres, by place; not a number when not known.
    distances: &'a [f32],
}

impl Pricer {
    /// The prices of `layout`; nothing where no measured choice is to be made.
    pub(crate) fn new(world: &World, layout: &Layout) -> Option<Self> {
        layout.plan().selection.measured.as_ref()?;
        if matches!(layout.ties(), Some(Ties::Vips(_))) || !layout.has_choice() {
            return None;
        }
        let model = world.model();
        let mut points: Vec<Point> = Vec::new();
        let exits: Vec<_> =
            layout.egresses().iter().map(|egress| Exit::new(world, layout, egress, &mut points)).collect();
        let apart = |a: Slot, b: Slot| exits[a.index()].place != exits[b.index()].place;
        let has_cells = layout.groups().iter().any(|group| group.iter().any(|&slot| apart(slot, group[0])));
        let has_weights = model.clients().iter().any(|group| !group.prefer.is_empty());
        Some(Self { exits, places: points.into_iter().map(Direction::new).collect(), has_cells, has_weights })
    }

    /// How many places links leave at.
    pub(crate) const fn places(&self) -> usize {
        self.places.len()
    }

    /// How many bytes [`mark`](Self::mark) appends.
    pub(crate) const fn width(&self) -> usize {
        self.head() + self.exits.len() * (1 + if self.has_weights { 4 } else { 0 })
    }

    const fn head(&self) -> usize {
        if self.has_cells { 2 } else { 0 }
    }

    /// Appends what tells a client from those of other prices.
    pub(crate) fn mark(&self, view: &View<'_>, key: &mut Vec<u8>) {
        if self.has_cells {
            key.extend_from_slice(&view.at().map_or(NOWHERE, cell).to_be_bytes());
        }
        let reaches = |exit: &Exit| exit.carriers.iter().any(|&carrier| view.has_carrier(carrier));
        // Where no link reaches the client's carrier, all are as far from it.
        let is_reached = self.exits.iter().any(reaches);
        key.extend(self.exits.iter().map(|exit| exit.steps(view, is_reached && !reaches(exit))));
        if self.has_weights {
            for exit in &self.exits {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a weight of at most 1,000 needs no more"
                )]
                let weight = view.preference(exit.link) as f32;
                key.extend_from_slice(&weight.to_be_bytes());
            }
        }
    }

    /// Kilometres from the client to each place; nothing where it is unknown.
    pub(crate) fn distances(&self, view: &View<'_>) -> Option<impl Iterator<Item = f64>> {
        let client = view.direction?;
        Some(self.places.iter().map(move |&place| client.distance_km(place)))
    }

    /// Marks and distances of one client.
    #[expect(clippy::cast_possible_truncation, reason = "kilometres need no more")]
    pub(crate) fn own(&self, view: &View<'_>) -> (Vec<u8>, Vec<f32>) {
        let mut marks = Vec::with_capacity(self.width());
        self.mark(view, &mut marks);
        let unknown = || vec![f32::NAN; self.places.len()];
        let distances =
            self.distances(view).map(|distances| distances.map(|distance| distance as f32).collect());
        (marks, distances.unwrap_or_else(unknown))
    }

    /// What is known of a link, besides measures.
    pub(crate) fn facts(&self, slot: Slot, fare: Fare<'_>) -> LinkFacts {
        let exit = &self.exits[slot.index()];
        let marks = &fare.marks[self.head()..];
        let steps = Exit::steps_km(marks[slot.index()]);
        let distance = match exit.place {
            Some(place) => Some(f64::from(fare.distances[place])),
            None => (self.places.is_empty() || fare.distances[0].is_nan()).then_some(0.0),
        };
        let distance = distance.map(|distance| if distance.is_nan() { 0.0 } else { distance });
        let weight = self.has_weights.then(|| {
            let at = self.exits.len() + 4 * slot.index();
            f32::from_be_bytes([0, 1, 2, 3].map(|byte| marks[at + byte]))
        });
        LinkFacts {
            quality: exit.quality,
            price_km: distance.map(|distance| distance + steps),
            weight: Some(weight.map_or(1.0, f64::from)),
            ..LinkFacts::default()
        }
    }

    /// The operator's cost of a link, if said.
    pub(crate) fn cost(&self, slot: Slot) -> Option<f64> {
        self.exits[slot.index()].cost
    }
}

impl<'a> Fare<'a> {
    pub(crate) const fn new(marks: &'a [u8], distances: &'a [f32]) -> Self {
        Self { marks, distances }
    }
}

/// Another link reaches the client's carrier.
const CARRIER: u8 = 1;
/// The client's country is another.
const COUNTRY: u8 = 2;
/// The client's country is the same, and its region another.
const REGION: u8 = 4;

impl Exit {
    fn new(world: &World, layout: &Layout, egress: &Egress, points: &mut Vec<Point>) -> Self {
        let model: &Model = world.model();
        let datacenter = layout.members()[usize::from(egress.member)].id;
        let link = egress.link.map(|link| model.link(link));
        let at = link.and_then(|link| link.at).or_else(|| model.datacenter(datacenter).at);
        let place = at.map(|at| {
            points.iter().position(|known| *known == at).unwrap_or_else(|| {
                points.push(at);
                points.len() - 1
            })
        });
        Self {
            place,
            region: world.region(datacenter, egress.link),
            carriers: egress.carriers.clone(),
            link: egress.link,
            quality: link.map(|link| f64::from(link.quality)),
            cost: link.and_then(|link| link.cost),
        }
    }

    fn steps(&self, view: &View<'_>, is_foreign: bool) -> u8 {
        let mut steps = if is_foreign { CARRIER } else { 0 };
        if let (Some(there), Some(country)) = (self.region, view.place.country) {
            let parts = view.place.subdivisions;
            if there.country != country {
                steps |= COUNTRY;
            } else if there.part.is_some() && parts[0].is_some() && !parts.contains(&there.part) {
                steps |= REGION;
            }
        }
        steps
    }

    fn steps_km(steps: u8) -> f64 {
        let each = [(CARRIER, CARRIER_KM), (COUNTRY, COUNTRY_KM), (REGION, REGION_KM)];
        each.iter().filter(|(bit, _)| steps & bit != 0).map(|(_, km)| km).sum()
    }
}

/// The cell of a point: bands of latitude, cut into cells of about one width.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "36 bands of at most 72 cells")]
fn cell(at: Point) -> u16 {
    let band = ((at.latitude + 90.0) / CELL_DEGREES).clamp(0.0, 180.0 / CELL_DEGREES - 1.0).floor();
    let middle = (band + 0.5) * CELL_DEGREES - 90.0;
    let cells = (360.0 / CELL_DEGREES * middle.to_radians().cos()).ceil().max(1.0);
    let across = ((at.longitude + 180.0) / 360.0 * cells).clamp(0.0, cells - 1.0).floor();
    band as u16 * 72 + across as u16
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn cells_are_few_and_small() {
        let mut cells = BTreeSet::new();
        for latitude in -180..=180 {
            for longitude in -720..720 {
                let at = Point::new(f64::from(latitude) / 2.0, f64::from(longitude) / 4.0).unwrap();
                cells.insert(cell(at));
            }
        }
        assert_eq!(cells.len(), 1_668, "all of the globe");
        assert!(!cells.contains(&NOWHERE), "a place of its own");
    }

    #[test]
    fn regions_are_read() {
        let region = |code| Region::new(code).is_some();
        assert_eq!(["CN", "cn-bj", "CN-", "China", "CN-BJ1X"].map(region), [true, true, false, false, false]);
    }
}

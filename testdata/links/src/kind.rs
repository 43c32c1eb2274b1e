//! The kinds of traces: a weather and a truth under a name.

use crate::truth::Truth;
use crate::weather::Weather;

/// How traces of a name are made.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// On the command line and in groups.
    pub name: &'static str,
    /// What it stands for, in a line.
    pub about: &'static str,
    /// How links fare.
    pub weather: Weather,
    /// What is good.
    pub truth: Truth,
    /// How far ways differ from what their length says: the standard deviation
    /// of the logarithm.
    pub spread: f64,
    /// By how many points of 100 operators' ratings are wrong: the standard
    /// deviation.
    pub hearsay: f64,
    /// Whether delays are PlanetLab's, and prices unknown.
    pub is_planetlab: bool,
}

/// Who knows the links rates them so; ratings are told in steps of five
/// besides.
const KNOWN: f64 = 3.0;

/// Who was told: correlated by 0.77 with what is true.
const TOLD: f64 = 10.0;

/// As noisy as the delays that probes measure.
const NEAR: f64 = 0.15;

/// Between pairs of cities: 15 to 38 ms per 1,000 km at the 10th and 90th of a
/// hundred, ln(38 / 15) / 2.56.
const WIDE: f64 = 0.36;

const USUAL: Kind = Kind {
    name: "known",
    about: "the hand-set formula is the truth; usual weather",
    weather: Weather::USUAL,
    truth: Truth::FORMULA,
    spread: NEAR,
    hearsay: KNOWN,
    is_planetlab: false,
};

/// Every kind.
pub const KINDS: [Kind; 9] = [
    USUAL,
    Kind {
        name: "averse",
        about: "linear: loss hurts most; bursts",
        weather: Weather::STORMY,
        truth: Truth::AVERSE,
        ..USUAL
    },
    Kind {
        name: "distant",
        about: "linear: the way hurts most; usual weather",
        truth: Truth::DISTANT,
        ..USUAL
    },
    Kind {
        name: "page",
        about: "time for a page; crowded evenings",
        weather: Weather::BUSY,
        truth: Truth::PAGE,
        ..USUAL
    },
    Kind {
        name: "download",
        about: "time for a megabyte; bursts of loss",
        weather: Weather::STORMY,
        truth: Truth::DOWNLOAD,
        ..USUAL
    },
    Kind {
        name: "stream",
        about: "rate of a paced stream; shifting routes",
        weather: Weather::SHIFTING,
        truth: Truth::Stream,
        ..USUAL
    },
    Kind {
        name: "brownout",
        about: "time for a megabyte; brown-outs",
        weather: Weather::BROWNOUTS,
        truth: Truth::DOWNLOAD,
        ..USUAL
    },
    Kind {
        name: "wide",
        about: "time for a page; ways as different as between cities, ratings from hearsay",
        truth: Truth::PAGE,
        spread: WIDE,
        hearsay: TOLD,
        ..USUAL
    },
    Kind {
        name: "planetlab",
        about: "time for a page over PlanetLab's delays; prices unknown",
        truth: Truth::PAGE,
        is_planetlab: true,
        ..USUAL
    },
];

impl Kind {
    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

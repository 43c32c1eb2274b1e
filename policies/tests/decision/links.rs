//! Which link clients get by what is measured, and when they get another.
//!
//! Time is virtual: a play is a list of moments at which links begin to measure
//! something else, and a list of moments at which a client asks.

use std::time::Duration;

use rhumb_geo::Place;
use rhumb_health::{Measure, Status};
use rhumb_policies::link::sample;
use rhumb_policies::link::train::{Training, train};
use rhumb_policies::{Client, Explanation, Inputs, Picks, Question, State, choose, explain, link_moves};
use rhumb_zones::{CarrierId, Files, ReadError, ServiceId};

use crate::world::Case;

/// A datacenter with links to two carriers and one to nobody.
const WORLD: &str = "zone: example.com
datacenters:
  west:
    at: [0, 0]
    links: { telecom: { carrier: chinanet }, unicom: { carrier: unicom }, transit: { quality: 20 } }
clients: { homes: { prefixes: [10.0.0.0/8], carrier: chinanet } }
services:
  www:
    SELECTION
    vips: { west: { telecom: 192.0.2.1, unicom: 192.0.2.2, transit: 192.0.2.3 } }
";

pub(crate) fn world(selection: &str) -> Case {
    Case::new(&WORLD.replace("SELECTION", selection))
}

/// Loss and delay of a link, as a full window of probes says it.
pub(crate) fn measure(loss: f64, delay_ms: f64) -> Measure {
    let delay = Some(delay_ms);
    Measure { loss, delay_ms: delay, p50_ms: delay, p95_ms: delay, jitter_ms: Some(1.0), tries: 60 }
}

/// A customer of telecom, and one of nobody known.
pub(crate) const HOME: &str = "10.0.0.1";
pub(crate) const ELSEWHERE: &str = "192.0.2.99";

/// Loss and delay of telecom, unicom and transit, from a second on.
type Turn = (u64, [Option<(f64, f64)>; 3]);

struct Stage {
    case: Case,
    state: State,
    inputs: Inputs,
    now: Duration,
}

impl Stage {
    fn new(selection: &str) -> Self {
        let case = world(selection);
        let inputs = case.well();
        Self { state: State::default(), case, inputs, now: Duration::from_secs(1_000_000) }
    }

    /// Lets a second pass.
    fn tick(&mut self) {
        self.now += Duration::from_secs(1);
        self.state = self.case.at(&self.state, &self.inputs, self.now);
    }

    fn measure(&mut self, turns: &[Option<(f64, f64)>; 3]) {
        for (link, turn) in ["telecom", "unicom", "transit"].iter().zip(turns) {
            let target = self.case.target(&format!("link:west/{link}"));
            if let Some((loss, delay)) = turn {
                self.inputs.set_measure(target, measure(*loss, *delay));
            }
        }
    }

    fn ask(&self, client: &str) -> String {
        let shape = self.case.shape();
        let class = self.state.class(shape, shape.map().class(client.parse().unwrap()));
        let mut picks = Picks::default();
        choose(shape, self.state.service(ServiceId::new(0)), &Client { class, hash: 0, draw: 0 }, &mut picks);
        let names = picks.slots().iter().map(|slot| self.case.vip(slot.index()));
        names.map(|name| name.trim_start_matches("west/").to_owned()).collect()
    }

    /// Why a customer of telecom is answered as it is.
    fn explain_home(&self) -> Explanation {
        let question = Question {
            service: ServiceId::new(0),
            place: Place { carriers: &[CarrierId::new(0)], operator: Some(0), ..Place::default() },
            class: None,
            address: None,
            scope: None,
            hash: 0,
            draw: 0,
        };
        explain(&self.case.world, &self.case.atlas, &self.state, &question)
    }

    /// Every change of a client's link within so many seconds, as `at link`.
    fn play(&mut self, client: &str, turns: &[Turn], seconds: u64) -> Vec<String> {
        let mut changes = Vec::new();
        let mut last = String::new();
        for second in 0..seconds {
            if let Some((_, links)) = turns.iter().find(|(from, _)| *from == second) {
                self.measure(links);
            }
            self.tick();
            let link = self.ask(client);
            if link != last {
                changes.push(format!("{second} {link}"));
                last = link;
            }
        }
        changes
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "rows")]
fn links_are_won_and_lost() {
    let good = Some((0.0, 20.0));
    let quick = "link-selection: { formula: ~, hold: 10s }";
    type Row<'a> = (&'a str, &'a str, &'a [Turn], &'a [&'a str], &'a str);
    let lossy = |lost: u8| [Some((f64::from(lost) / 60.0, 20.0)), good, good];
    let rows: [Row<'_>; 14] = [
        ("", HOME, &[], &["0 telecom"], "nothing is measured: the carrier's"),
        ("", ELSEWHERE, &[], &["0 telecom"], "nothing is known: as declared, the poor one last"),
        (
            "",
            ELSEWHERE,
            &[(0, [None, Some((0.0, 20.0)), None])],
            &["0 telecom"],
            "what is unknown is the mean of the rest",
        ),
        ("", ELSEWHERE, &[(0, [Some((0.0, 60.0)), good, good])], &["0 unicom"], "at first, by score"),
        (
            "",
            HOME,
            &[(0, [Some((0.0, 30.0)), good, good])],
            &["0 telecom"],
            "10 ms are not worth another carrier",
        ),
        (
            "",
            HOME,
            &[(0, [good; 3]), (100, [Some((0.0, 60.0)), good, good])],
            &["0 telecom", "160 unicom"],
            "three times the delay for a minute",
        ),
        (
            quick,
            HOME,
            &[(0, [good; 3]), (100, [Some((0.2, 20.0)), good, good]), (300, [good; 3])],
            &["0 telecom", "110 unicom", "310 telecom"],
            "a lossy link, and back",
        ),
        (
            quick,
            HOME,
            &[
                (0, [good; 3]),
                (100, lossy(5)),
                (150, lossy(2)),
                (200, lossy(5)),
                (250, lossy(1)),
                (300, [good; 3]),
            ],
            &["0 telecom", "110 unicom", "310 telecom"],
            "loss about as small as a window can tell",
        ),
        (
            quick,
            HOME,
            &[(0, [good; 3]), (100, [Some((0.2, 20.0)), good, good]), (109, [good; 3])],
            &["0 telecom"],
            "shorter than the hold",
        ),
        (
            "link-selection: { formula: { loss: 0 }, hold: 10s }",
            HOME,
            &[(0, [good; 3]), (100, [Some((0.2, 20.0)), good, good])],
            &["0 telecom"],
            "loss does not count",
        ),
        (
            "link-selection: { formula: ~, hold: 0s, margin: 90% }",
            HOME,
            &[(0, [good; 3]), (100, [Some((0.0, 60.0)), good, good])],
            &["0 telecom"],
            "not by so much",
        ),
        (
            "link-selection: { formula: { price: 0 }, hold: 0s }",
            HOME,
            &[(0, [good; 3]), (100, [Some((0.0, 21.9)), good, good])],
            &["0 telecom"],
            "2 ms are noise",
        ),
        (
            "link-selection: { formula: { price: 0 }, hold: 0s }",
            HOME,
            &[(0, [good; 3]), (100, [Some((0.0, 25.0)), good, good])],
            &["0 telecom", "100 unicom"],
            "5 ms are not",
        ),
        (
            "link-selection: carrier",
            HOME,
            &[(0, [Some((0.9, 900.0)), good, good])],
            &["0 telecom"],
            "a fixed order measures nothing",
        ),
    ];
    for (selection, client, turns, want, why) in rows {
        let got = Stage::new(selection).play(client, turns, 400);
        assert_eq!(got, want, "{why}");
    }
}

#[test]
fn noise_moves_nobody_and_a_fault_does_at_once() {
    let mut stage = Stage::new("link-selection: { formula: { price: 0 } }");
    let turn = |second: u64| {
        // Alternately 15 % better, and one or two of sixty packets lost.
        let (a, b) = if second % 40 < 20 { (20.0, 23.0) } else { (23.0, 20.0) };
        (second, [Some((f64::from(u8::from(second % 60 < 30)) / 60.0, a)), Some((2.0 / 60.0, b)), None])
    };
    let turns: Vec<Turn> = (0..1_800).step_by(20).map(turn).collect();
    let changes = stage.play(ELSEWHERE, &turns, 1_800);
    assert!(changes.len() <= 1 + 3, "at most one in ten minutes: {changes:?}");
    let first = stage.ask(ELSEWHERE);
    let link = stage.case.target(&format!("link:west/{first}"));
    stage.inputs.set_verdict(stage.case.model(), link, Status::Down);
    stage.tick();
    let second = stage.ask(ELSEWHERE);
    assert_ne!(second, first, "a link that is down loses its clients at once");
    stage.inputs.set_verdict(stage.case.model(), link, Status::Up);
    let changes = stage.play(ELSEWHERE, &[], 60);
    assert_eq!(changes, [format!("0 {second}")], "and must win them again");
}

#[test]
fn a_degraded_link_is_left_within_two_windows() {
    // 60 probes of 2 s fill a window; the median follows at half of it.
    let mut stage = Stage::new("");
    let mut window: Vec<f64> = vec![20.0; 60];
    stage.measure(&[Some((0.0, 20.0)), Some((0.0, 22.0)), None]);
    (0..120).for_each(|_| stage.tick());
    assert_eq!(stage.ask(ELSEWHERE), "telecom");
    let left = (0..240).find(|second| {
        if second % 2 == 0 {
            window.remove(0);
            window.push(60.0);
        }
        let mut sorted = window.clone();
        sorted.sort_by(f64::total_cmp);
        stage.measure(&[Some((0.0, sorted[29])), Some((0.0, 22.0)), None]);
        stage.tick();
        stage.ask(ELSEWHERE) == "unicom"
    });
    assert!(left.is_some_and(|second| (60..=180).contains(&second)), "{left:?}");
}

#[test]
fn moves_are_told() {
    let good = Some((0.0, 20.0));
    let mut stage = Stage::new("link-selection: { formula: ~, hold: 10s }");
    let mut told = Vec::new();
    for second in 0..60 {
        match second {
            0 => stage.measure(&[good; 3]),
            20 => stage.measure(&[Some((0.3, 20.0)), good, good]),
            _ => {}
        }
        if second == 50 {
            let link = stage.case.target("link:west/unicom");
            stage.inputs.set_verdict(stage.case.model(), link, Status::Down);
        }
        let before = stage.state.clone();
        stage.tick();
        let events = link_moves(&stage.case.world, &before, &stage.state, stage.now);
        told.extend(events.into_iter().map(|event| format!("{second} {}: {}", event.target, event.text)));
    }
    let want = "30 service:www: www: 2 of 2 classes of clients moved from west/telecom to west/unicom";
    assert_eq!(told, [want], "once, and not off a link that is down");
}

#[test]
fn no_more_move_in_a_minute_than_the_pace_allows() {
    let cities = (0..10).map(|city| {
        let (prefix, weight) = (format!("11.{city}.0.0/16"), 1.01 + f64::from(city) / 100.0);
        format!("c{city}: {{ prefixes: [{prefix}], prefer: {{ west/telecom: {weight} }} }}, ")
    });
    let selection = "link-selection: { formula: ~, hold: 10s, pace: 20% }";
    let world = WORLD.replace("SELECTION", selection);
    let policy = world.replace("clients: {", &format!("clients: {{ {}", cities.collect::<String>()));
    let case = Case::new(&policy);
    let mut inputs = case.well();
    let mut state = State::default();
    let mut now = Duration::from_secs(1_000_000);
    let target = |name: &str| case.target(&format!("link:west/{name}"));
    let count = |state: &State| {
        let summary = &state.links(&case.world, &case.atlas)[0];
        let share = summary.links.iter().find(|link| link.link == "west/unicom").unwrap().share;
        (share * summary.classes as f64).round()
    };
    for link in ["telecom", "unicom"] {
        inputs.set_measure(target(link), measure(0.0, 20.0));
    }
    state = case.at(&state, &inputs, now);
    assert_eq!(
        (state.links(&case.world, &case.atlas)[0].classes, count(&state)),
        (12, 0.0),
        "and those of no city"
    );
    inputs.set_measure(target("telecom"), measure(0.3, 20.0));
    let mut seen = Vec::new();
    for _ in 0..400 {
        now += Duration::from_secs(1);
        state = case.at(&state, &inputs, now);
        seen.push(count(&state));
    }
    assert_eq!([seen[9], seen[10], seen[69], seen[71]], [0.0, 2.0, 2.0, 4.0], "two in a minute, of twelve");
    assert_eq!(seen[399], 12.0, "in the end all");
}

#[test]
fn a_freeze_and_an_own_fault_move_nobody() {
    let rules = "rules: [ { name: hold, when: \"clock('UTC').hour >= 0\", apply: { services: [www], freeze: true } } ]\n";
    let turns: &[Turn] = &[(0, [Some((0.0, 20.0)); 3]), (100, [Some((0.5, 200.0)), Some((0.0, 20.0)), None])];
    let mut stage = Stage::new("link-selection: { formula: ~, hold: 10s }");
    stage.case = Case::new(&format!(
        "{}{rules}",
        WORLD.replace("SELECTION", "link-selection: { formula: ~, hold: 10s }")
    ));
    assert_eq!(stage.play(HOME, turns, 300), ["0 telecom"], "a rule");
    let mut stage = Stage::new("link-selection: { formula: ~, hold: 10s }");
    stage.play(HOME, &[(0, [Some((0.0, 20.0)); 3])], 10);
    stage.inputs.set_own_fault(true);
    assert_eq!(stage.play(HOME, turns, 300), ["0 telecom"], "an own fault");
}

#[test]
fn a_restart_flips_nothing() {
    let good = Some((0.0, 20.0));
    let mut stage = Stage::new("link-selection: { formula: ~, hold: 10s }");
    let turns: &[Turn] =
        &[(0, [good; 3]), (20, [Some((0.3, 20.0)), good, good]), (60, [Some((0.0, 24.0)), good, good])];
    assert_eq!(stage.play(HOME, turns, 65), ["0 telecom", "30 unicom"]);
    let saved = stage.state.save(&stage.case.world);
    stage.state = State::restore(&stage.case.world, &saved).unwrap();
    stage.inputs.set_own_fault(true);
    stage.tick();
    assert_eq!(stage.ask(HOME), "unicom", "what is frozen is what was restored");
    stage.inputs.set_own_fault(false);
    stage.state = State::restore(&stage.case.world, &saved).unwrap();
    stage.tick();
    assert_eq!(stage.ask(HOME), "unicom", "though telecom would be first for a newcomer");
    let changes = stage.play(HOME, &[], 30);
    assert_eq!(changes, ["0 unicom", "9 telecom"], "and then as it goes on");
}

#[test]
fn a_score_says_what_it_is_made_of() {
    let mut stage = Stage::new("link-selection: { formula: ~, hold: 30s }");
    let good = Some((0.0, 20.0));
    stage.play(HOME, &[(0, [good, good, None]), (10, [Some((0.3, 20.0)), good, None])], 20);
    let told = stage.explain_home();
    let said: Vec<_> = told.sentences().collect();
    let said = said.join("\n");
    let rows = [
        "west/telecom scores -1.16: quality +0.25, weight +1.00, loss +0.59, delay -3.00 and jitter -0.01.",
        "west/transit scores",
        "loss, delay and jitter are unknown",
        "west/telecom has these clients since 1970-01-12T13:46:41Z; west/unicom leads by 1.17 for 9 s, it takes over after 30 s.",
    ];
    for want in rows {
        assert!(said.contains(want), "{want}\n{said}");
    }
    let lead: f64 = told.links[0].iter().find(|link| link.link == "west/unicom").unwrap().lead;
    let parts: f64 = told.links[0][0].parts.iter().map(|(_, nats)| nats).sum();
    assert!((parts - told.links[0][0].score).abs() < 1e-9 && lead > 1.0, "{:?}", told.links);
}

/// A model of 36 decisions by delay alone, and no other file.
struct Learned;

impl Files for Learned {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        const DELAYS: [u16; 6] = [1, 3, 9, 27, 81, 243];
        let mut rows = format!("{}\n", sample::header());
        for (group, (a, b)) in DELAYS.into_iter().flat_map(|a| DELAYS.map(|b| (a, b))).enumerate() {
            let best = u8::from(a <= b);
            rows += &format!("{group},a,50,0,1,0,{a},0,{best},\n{group},b,50,0,1,0,{b},0,{},\n", 1 - best);
        }
        let samples = sample::read_samples(path, rows.as_bytes()).unwrap();
        let trained = train(&samples, &Training { seed: 1 }, &mut |_, _| true).unwrap();
        Ok((path.to_owned(), trained.model.to_text().into_bytes()))
    }
}

#[test]
fn a_model_in_the_shadow_answers_nobody() {
    let good = Some((0.0, 20.0));
    let turns: &[Turn] = &[(0, [good; 3]), (100, [Some((0.0, 80.0)), good, good])];
    let would = "The model in the shadow would have west/unicom.";
    let rows: [(&str, &[&str], &str, &str); 4] = [
        ("", &["0 telecom", "110 unicom"], "west/unicom has these clients since", "live"),
        (", mode: shadow, live: carrier", &["0 telecom"], would, "below a fixed order"),
        (", mode: shadow, live: priority", &["0 telecom"], would, "below another"),
        (
            ", mode: shadow",
            &["0 telecom", "110 unicom"],
            "The model in the shadow agrees on west/unicom.",
            "below the formula",
        ),
    ];
    for (mode, want, words, why) in rows {
        let selection = format!("link-selection: {{ model: links.model, hold: 10s{mode} }}");
        let mut stage = Stage::new("");
        stage.case = Case::with(&WORLD.replace("SELECTION", &selection), &Learned);
        assert_eq!(stage.play(HOME, turns, 120), want, "{why}");
        let said = stage.explain_home().sentences().collect::<Vec<_>>().join("\n");
        assert!(said.contains(words), "{why}: {said}");
    }
}

//! Links that get worse and still work: who leaves them, when, and who stays.
//!
//! All services here are in the north alone, so that clients near the south,
//! customers of `unicom`, have its other link. `one` asks the formula, `learned`
//! a model; `watched` is answered by carrier with the same model in its shadow.
//! The model is trained before the server starts, with samples whose truth the
//! formula does not know: to their users a carrier is worth nothing, and the
//! operator's rating much. So `learned` is answered the better rated `unicom`
//! everywhere, while all is well.
//!
//! A row spoils a link, waits until those who shall have left it, mends it, and
//! waits until they are back: two changes of answers, and none for anybody
//! else. Pages tell whether users had anything of it.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::quality::{WINDOW, tell};
use super::rows::failures;
use crate::failure::{Done, Failure};
use crate::patience::{GENEROUS, pass, until};
use crate::policy::{ANY, Policy, Service};
use crate::report;
use crate::topology::{CARRIERS, DATACENTERS};
use crate::watch::{Sight, View};
use crate::world::World;

/// Moves after five seconds instead of sixty: the lab's windows are shorter
/// than the default's by as much.
const ONE: Service =
    Service { name: "one", selection: "{ formula: ~, hold: 5s }", only: Some("north"), ..ANY };
const LEARNED: Service = Service { name: "learned", selection: "{ model: links.model, hold: 5s }", ..ONE };
const WATCHED: Service = Service {
    name: "watched",
    selection: "{ model: links.model, mode: shadow, live: carrier, hold: 5s }",
    ..ONE
};

/// Longer than the hold: who would move once more has.
const CALM: Duration = Duration::from_secs(6);
/// What is cached is forgotten, and some pages have come since.
const SETTLED: Duration = Duration::from_secs(5);
/// The last part of it: pages over the link that is answered then.
const LATELY: Duration = Duration::from_secs(2);
/// State is written soon after a change, not at once.
const WRITTEN: Duration = Duration::from_secs(2);

/// Three services of the north, and clients of two carriers.
pub(crate) fn policy() -> Policy {
    Policy { services: vec![ONE, LEARNED, WATCHED], samples: Some(samples), ..super::brisk(2) }
}

/// Every combination of delays, ratings and carriers of two links; the best
/// has the greater of 4 × quality / 100 − ln(delay), whatever its carrier.
fn samples() -> String {
    const DELAYS: [f64; 6] = [1.0, 3.0, 9.0, 27.0, 81.0, 243.0];
    const PAIRS: [([f64; 2], [u16; 2]); 4] = [
        ([50.0, 90.0], [0, 1900]),
        ([50.0, 90.0], [1900, 0]),
        ([90.0, 50.0], [0, 1900]),
        ([90.0, 50.0], [1900, 0]),
    ];
    let mut text = "group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best\n".to_owned();
    let mut group = 0;
    for delays in DELAYS.into_iter().flat_map(|a| DELAYS.map(|b| [a, b])) {
        for (qualities, prices) in PAIRS {
            let [a, b] = [0, 1].map(|link| 4.0 * qualities[link] / 100.0 - delays[link].ln());
            group += 1;
            for (link, is_best) in [(0, a > b), (1, a <= b)] {
                let (quality, price, delay, best) =
                    (qualities[link], prices[link], delays[link], u8::from(is_best));
                let _ = writeln!(text, "{group},north/{link},{quality},{price},1,0,{delay},0,{best}");
            }
        }
    }
    text
}

/// How a link gets worse: its place in a datacenter's list, and how much.
#[derive(Clone, Copy)]
enum Spoil {
    /// Of all packets that come in, this many in a hundred vanish.
    Loss(usize, u8),
    /// Packets take so many milliseconds longer, each way.
    Delay(usize, u64),
}

/// A link of the north that gets worse, and who has another then.
pub(crate) struct Row {
    name: &'static str,
    spoil: Spoil,
    away: &'static [(View, &'static str)],
    /// Whether the policy is read again and the server killed meanwhile.
    is_restarted: bool,
}

pub(crate) const LOSSY: Row = Row {
    name: "link north/telecom loses 20 %: left by those whom it matters to, and taken again",
    spoil: Spoil::Loss(0, 20),
    away: &[(("north", "one"), "north/unicom")],
    is_restarted: false,
};

pub(crate) const SLOW: Row = Row {
    name: "link north/unicom 30 ms longer each way: the same, by formula and by model",
    spoil: Spoil::Delay(1, 30),
    away: &[
        (("south", "one"), "north/telecom"),
        (("north", "learned"), "north/telecom"),
        (("south", "learned"), "north/telecom"),
    ],
    is_restarted: false,
};

pub(crate) const RESTARTED: Row = Row {
    name: "link north/unicom 30 ms longer each way: a reload and SIGKILL meanwhile move nobody",
    is_restarted: true,
    ..SLOW
};

impl Row {
    /// Plays it.
    pub(crate) fn play(&self, world: &mut World) -> Done {
        learned(world)?;
        tell(world, self.name, |world| self.told(world))
    }

    fn told(&self, world: &mut World) -> Done<String> {
        // Full, as they mostly are: young ones follow faster.
        pass(WINDOW)?;
        let start = Instant::now();
        let before = self.page_ms(world, start - LATELY);
        self.spoil(world)?;
        let moved = self.answered(world, start, |(_, away)| away)?;
        let meanwhile = self.page_ms(world, start);
        pass(SETTLED)?;
        let after = self.page_ms(world, Instant::now() - LATELY);
        self.explained(world)?;
        if self.is_restarted {
            restart(world)?;
        }
        let mended = Instant::now();
        world.straighten();
        world.mend()?;
        let back = self.answered(world, mended, |(view, _)| world.normal_answer(*view))?;
        pass(CALM)?;
        self.counted(world, start)?;
        let requests = world.traffic.since(start);
        let figures = format!(
            "moved after {}, back {} after the repair, no flapping; a page took them {before:.0} ms, then \
             {meanwhile:.0} ms, {after:.0} ms over the other link, {}",
            report::seconds(moved),
            report::seconds(back),
            failures(&requests)
        );
        // Users have had something of it.
        match after < meanwhile / 2.0 {
            true => Ok(figures),
            false => Failure::because(figures),
        }
    }

    fn spoil(&self, world: &mut World) -> Done {
        let north = DATACENTERS[0];
        match self.spoil {
            Spoil::Loss(link, percent) => {
                let rule = format!("iifname \"net\" numgen random mod 100 < {percent} drop");
                world.filter(&north.space(CARRIERS[link]), &rule)
            }
            Spoil::Delay(link, ms) => world.detour((north, link), Duration::from_millis(ms)),
        }
    }

    /// Waits until all who move have; when the last one's answer came.
    fn answered<'a>(
        &'a self,
        world: &World,
        since: Instant,
        want: impl Fn(&'a (View, &'static str)) -> &'a str,
    ) -> Done<Duration> {
        let mut last = Duration::ZERO;
        for row in self.away {
            let (view, want) = (row.0, want(row));
            let what = format!("{} near {} is answered {want}", view.1, view.0);
            let first = until(&what, WINDOW + GENEROUS, || world.watch.first(view, (since, want)));
            last = last.max(first.map_err(|failure| {
                let said = world.rhumb.explain(view.1, near(view.0)).unwrap_or_default();
                Failure::new(format!("{failure}: {said}"))
            })?);
        }
        Ok(last)
    }

    /// Mean time of the pages of those who move, since then, failures included.
    fn page_ms(&self, world: &World, since: Instant) -> f64 {
        let requests = world.traffic.since(since);
        let own = requests.iter().filter(|request| self.away.iter().any(|(view, _)| *view == request.view));
        let took: Vec<f64> = own.map(|request| request.took.as_secs_f64() * 1e3).collect();
        took.iter().sum::<f64>() / took.len() as f64
    }

    /// Requires words of why.
    fn explained(&self, world: &World) -> Done {
        for ((place, service), away) in self.away {
            let said = world.rhumb.explain(service, near(place))?;
            if !said.contains(&format!("{away} has these clients since ")) {
                return Failure::because(format!("explain {service} near {place}: {said}"));
            }
        }
        Ok(())
    }

    /// Requires that those who move did so twice, and nobody else ever.
    fn counted(&self, world: &World, start: Instant) -> Done {
        for view in world.views() {
            let want = if self.away.iter().any(|(moved, _)| *moved == view) { 2 } else { 0 };
            let seen = world.watch.since(view, start);
            if seen.len() != want + 1 {
                let answers: Vec<_> = seen.into_iter().map(|sight| sight.answer).collect();
                let (place, service) = view;
                return Failure::because(format!("{service} near {place}: {}", answers.join(", then ")));
            }
        }
        Ok(())
    }
}

/// A client near a datacenter.
fn near(place: &str) -> Ipv4Addr {
    let found = DATACENTERS.iter().find(|one| one.name == place);
    found.expect("places are named after datacenters").client()
}

/// While all is well: the model answers where it is live, and only says what it
/// would where it is not.
fn learned(world: &World) -> Done {
    for (view, want) in [
        (("north", "one"), "north/telecom"),
        (("north", "learned"), "north/unicom"),
        (("north", "watched"), "north/telecom"),
        (("south", "watched"), "north/unicom"),
    ] {
        if world.normal_answer(view) != want {
            let got = world.normal_answer(view);
            return Failure::because(format!("{} near {} is answered {got}, not {want}", view.1, view.0));
        }
    }
    let said = world.rhumb.explain("watched", DATACENTERS[0].client())?;
    match said.contains("The model in the shadow would have north/unicom.") {
        true => Ok(()),
        false => Failure::because(format!("explain watched: {said}")),
    }
}

/// A reload, then an end without warning: no answer flips.
fn restart(world: &mut World) -> Done {
    pass(WRITTEN)?;
    let (start, before) = (Instant::now(), world.answers());
    world.rhumb.reload()?;
    pass(CALM)?;
    world.restart(Signal::KILL)?;
    until("it answers its commands", GENEROUS, || world.rhumb.targets().ok())?;
    pass(CALM)?;
    for (view, sight) in before {
        let seen = world.watch.since(view, start);
        if seen.len() > 1 {
            let told = |seen: Sight| {
                let after = seen.at.saturating_duration_since(start);
                format!("{} after {}", seen.answer, report::seconds(after))
            };
            let answers: Vec<_> = seen.into_iter().map(told).collect();
            let said = world.rhumb.explain(view.1, near(view.0))?;
            return Failure::because(format!(
                "{} near {} flipped from {}: {}; {said}",
                view.1,
                view.0,
                sight.answer,
                answers.join(", then ")
            ));
        }
    }
    Ok(())
}

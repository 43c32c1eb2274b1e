//! A row of a table: a fault, and what everybody must be answered then.
//!
//! Played, a row breaks something, waits for the right answers, sees that
//! pages come again, mends, and requires all to be as it was before. What it
//! reports: when the fault was detected (the server's own event), when the
//! first right answer came for the last of those it changed for, and how many
//! requests of users behind the resolver failed, recovery included.

use std::time::{Duration, Instant};

use crate::failure::{Done, Failure};
use crate::fault::{How, Part};
use crate::patience::{GENEROUS, pass, until};
use crate::report;
use crate::rhumb::now_ms;
use crate::traffic::Request;
use crate::watch::View;
use crate::world::World;

/// A fault and its consequences.
pub(crate) struct Row {
    /// What and why, in few words.
    pub(crate) name: &'static str,
    /// What is broken, and how.
    pub(crate) strikes: &'static [(Part, How)],
    /// Whose answers change: near where, which service, to what. `any` stands
    /// for `web` too, `all` for every service.
    pub(crate) changes: &'static [(&'static str, &'static str, &'static str)],
    /// Services without a usable VIP then: `any` for `web` too, `all`, or none.
    pub(crate) last_resort: &'static [&'static str],
    /// Near where, from which datacenter's nodes: the pages of `any` then.
    pub(crate) pages: &'static [(&'static str, &'static str)],
    /// Whose balancers shall try whose nodes of `any` first, as `rhumb plan` says.
    pub(crate) plan: &'static [(&'static str, &'static str)],
}

/// No answer that was right may come and go for longer than this.
const STEADY: Duration = Duration::from_millis(800);

/// Plays every row; one that misses does not stop the others.
pub(crate) fn play(world: &mut World, rows: &[Row]) -> Done {
    for row in rows {
        let played = row.play(world);
        match played {
            Ok(figures) => report::well(row.name, figures),
            Err(failure) => {
                report::missed(row.name, failure);
                world.mend()?;
                world.settle()?;
            }
        }
    }
    Ok(())
}

/// Whether a row's word for services means `service`.
fn means(word: &str, service: &str) -> bool {
    word == service || word == "all" || (word == "any" && service == "web")
}

impl Row {
    /// What a row says that says nothing.
    pub(crate) const NOTHING: Self =
        Self { name: "", strikes: &[], changes: &[], last_resort: &[], pages: &[], plan: &[] };

    fn play(&self, world: &mut World) -> Done<String> {
        let before = world.normal.clone();
        let (start, start_ms) = (Instant::now(), now_ms());
        for (part, how) in self.strikes {
            world.strike(*part, *how)?;
        }
        let right = self.answered(world, (start, &before))?;
        let detected = self.detected(world, (start_ms, GENEROUS))?;
        self.judged(world)?;
        pass(STEADY)?;
        for (view, normal) in &before {
            let want = self.wanted(*view, normal);
            let got = world.watch.now(*view).map(|sight| sight.answer).unwrap_or_default();
            if got != want {
                return Failure::because(format!("{} near {}: {got}, not {want} any more", view.1, view.0));
            }
        }
        self.served(world)?;
        world.mend()?;
        restored(world, &before)?;
        world.settle()?;
        let requests = world.traffic.since(start);
        Ok(format!(
            "detected {}, right answer {}, {}, recovered",
            report::seconds(detected),
            right.map_or_else(|| "throughout".to_owned(), report::seconds),
            failures(&requests)
        ))
    }

    /// What `view` shall be answered.
    fn wanted<'w>(&self, (place, service): View, normal: &'w str) -> &'w str {
        let mut changes = self.changes.iter();
        changes.find(|change| change.0 == place && means(change.1, service)).map_or(normal, |change| change.2)
    }

    /// Waits for the right answers; when the last of those that change came.
    fn answered(
        &self,
        world: &World,
        (start, before): (Instant, &[(View, String)]),
    ) -> Done<Option<Duration>> {
        let mut last = None;
        for (view, normal) in before {
            let want = self.wanted(*view, normal);
            let what = format!("{} near {} is answered {want}", view.1, view.0);
            let took = until(&what, GENEROUS, || {
                let is_so = world.watch.now(*view).is_some_and(|sight| sight.answer == want);
                is_so.then(|| world.watch.first(*view, (start, want))).flatten()
            })
            .map_err(|failure| with_targets(world, &failure))?;
            if want != normal {
                last = last.max(Some(took));
            }
        }
        Ok(last)
    }

    /// Waits for an event of the fault; how long after it.
    fn detected(&self, world: &World, (start_ms, patience): (u64, Duration)) -> Done<Duration> {
        until("an event", patience, || {
            let events = world.rhumb.events().ok()?;
            let mut begun =
                events.iter().filter(|event| event.at_ms >= start_ms && event.what.contains(" begins "));
            begun.next().map(|event| Duration::from_millis(event.at_ms - start_ms))
        })
    }

    /// Waits until targets and services are judged as they are.
    fn judged(&self, world: &World) -> Done {
        for name in self.strikes.iter().flat_map(|(part, _)| part.targets()) {
            until(&format!("{name} is down"), GENEROUS, || {
                let target = world.rhumb.target(&name).ok()?;
                (target.status == "down").then_some(())
            })?;
        }
        if world.rhumb.is_own_fault()? {
            return Failure::because("the server takes it for a fault of its own");
        }
        for (balancers, nodes) in self.plan {
            until(&format!("balancers of {balancers} try nodes of {nodes} first"), GENEROUS, || {
                (world.rhumb.first_nodes("any", balancers).ok()? == *nodes).then_some(())
            })?;
        }
        for (_, service) in world.views() {
            let is_last = self.last_resort.iter().any(|word| means(word, service));
            let want = if is_last { "last resort" } else { "tier 1" };
            until(&format!("{service} is answered from {want}"), GENEROUS, || {
                (world.rhumb.answers(service).ok()? == want).then_some(())
            })?;
        }
        Ok(())
    }

    /// Waits until users of services that can be served are.
    fn served(&self, world: &World) -> Done {
        let span = Duration::from_secs(1);
        let can = |view: &View| !self.last_resort.iter().any(|word| means(word, view.1));
        let views: Vec<View> = world.views().into_iter().filter(can).collect();
        until("a second without failed requests", GENEROUS, || {
            let is_served = |view: &View| world.traffic.flows(*view, span, |request| request.page.is_ok());
            views.iter().all(is_served).then_some(())
        })?;
        for (place, datacenter) in self.pages {
            let wanted = format!(" {datacenter}/n");
            let is_theirs = |request: &Request| request.page.as_ref().is_ok_and(|way| way.contains(&wanted));
            if !world.traffic.flows((*place, "any"), STEADY, is_theirs) {
                return Failure::because(format!("pages near {place} are not from nodes of {datacenter}"));
            }
        }
        Ok(())
    }
}

/// Waits until everybody is answered as `before`, from tier 1.
pub(crate) fn restored(world: &World, before: &[(View, String)]) -> Done {
    for (view, normal) in before {
        until(&format!("{} near {} is answered {normal} again", view.1, view.0), GENEROUS, || {
            world.watch.now(*view).filter(|sight| sight.answer == *normal)
        })
        .map_err(|failure| with_targets(world, &failure))?;
        until(&format!("{} is answered from tier 1 again", view.1), GENEROUS, || {
            (world.rhumb.answers(view.1).ok()? == "tier 1").then_some(())
        })?;
    }
    Ok(())
}

/// `3 of 812 requests failed`.
pub(crate) fn failures(requests: &[Request]) -> String {
    let failed = requests.iter().filter(|request| request.page.is_err()).count();
    format!("{failed} of {} requests failed", requests.len())
}

/// Adds what the server knows.
pub(crate) fn with_targets(world: &World, failure: &Failure) -> Failure {
    let odd: Vec<String> = world
        .rhumb
        .targets()
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, target)| !target.is_well())
        .map(|(name, target)| format!("{name} {} ({}; {})", target.status, target.verdict, target.notes))
        .collect();
    let answers: Vec<String> = world
        .answers()
        .into_iter()
        .map(|((place, service), sight)| format!("{place} {service} {}", sight.answer))
        .collect();
    Failure::new(format!("{failure}; answers: {}; not up: {}", answers.join(", "), odd.join(", ")))
}

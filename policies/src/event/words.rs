//! Events in words.
//!
//! A sentence says what is so, what came of it, and for a service why; it is
//! read on a telephone at night, so it names two or three things and counts
//! the rest. The full list goes with the event.

use std::time::Duration;

use rhumb_zones::{DatacenterId, ServiceId, TargetId};

use super::diff::Story;
use super::fault::{Fault, Faults, Ruled};
use super::{Event, EventKind, Phase, Severity};
use crate::inputs::Action;
use crate::rule::RuleState;
use crate::world::World;

/// Most names spelled out in a sentence.
const MAX_SPELLED: usize = 3;

pub(super) struct Words<'a> {
    pub(super) world: &'a World,
    pub(super) before: Faults<'a>,
    pub(super) after: Faults<'a>,
    /// Since the Unix epoch.
    pub(super) now: Duration,
}

impl Words<'_> {
    /// The event of a fault; a fault that goes on as it was is none.
    pub(super) fn event(&self, story: &Story) -> Option<Event> {
        if story.phase == Phase::Notice && story.targets.is_empty() {
            return None;
        }
        let (kind, severity) = match story.fault {
            Fault::Forced(_, true) => (EventKind::ForcedUp, Severity::Info),
            Fault::Forced(_, false) => (EventKind::ForcedDown, Severity::Info),
            Fault::Drained(_) => (EventKind::Drained, Severity::Info),
            Fault::Egress(_) => (EventKind::EgressDown, Severity::Warning),
            Fault::Balancers(_) => (EventKind::BalancersDown, Severity::Warning),
            Fault::Down(_) => (EventKind::TargetDown, Severity::Warning),
            Fault::Waits(_) => (EventKind::RecoveryWaits, Severity::Warning),
            Fault::Held(_) => return None,
            Fault::Rule(_, Ruled::On) => (EventKind::RuleOn, Severity::Info),
            Fault::Rule(_, Ruled::Unmeasured) => (EventKind::RuleUnmeasured, Severity::Info),
            Fault::Rule(_, Ruled::Failed) => (EventKind::RuleFailed, Severity::Warning),
            Fault::Degraded(_) => (EventKind::ServiceDegraded, Severity::Warning),
            Fault::LastResort(_) => (EventKind::ServiceLastResort, Severity::Critical),
        };
        let severity = if story.phase == Phase::Notice { Severity::Info } else { severity };
        let (text, cause) = self.tell(story);
        let services = story.services.iter().map(|&one| self.world.model().service(one).target);
        let names = story.targets.iter().copied().chain(services).map(|one| self.name(one));
        Some(Event {
            kind,
            phase: story.phase,
            severity,
            text,
            cause: cause.map(|cause| self.subject(cause)).filter(|cause| *cause != self.subject(story.fault)),
            masked: names.take(Event::MAX_MASKED).collect(),
            masked_count: story.targets.len() + story.services.len(),
            ..self.plain(self.subject(story.fault))
        })
    }

    /// The primary of a service moved.
    pub(super) fn promotion(&self, service: ServiceId, places: [Option<DatacenterId>; 2]) -> Event {
        let place = |place: Option<DatacenterId>| {
            place.map_or("nowhere", |place| &*self.world.model().datacenter(place).name)
        };
        let [from, to] = places.map(place);
        let target = self.world.model().service(service).target;
        let text = format!("The primary of {} is {to} now; it was {from}.", self.name(target));
        Event { text, ..self.plain(self.name(target)) }
    }

    fn plain(&self, target: String) -> Event {
        Event {
            at_ms: u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX),
            kind: EventKind::PrimaryChanged,
            phase: Phase::Notice,
            target,
            severity: Severity::Info,
            text: String::new(),
            cause: None,
            masked: Vec::new(),
            masked_count: 0,
        }
    }

    /// The sentence, and the fault at the root of it where that is another.
    fn tell(&self, story: &Story) -> (String, Option<Fault>) {
        let subject = self.say(story.fault);
        let with = self.with(story);
        let (sentence, cause) = match (story.phase, story.fault) {
            (Phase::Notice, _) => return (self.notice(story), None),
            (Phase::Begins, Fault::Down(target)) if !self.before.is_up(target) => {
                (format!("{subject} is still down, by itself"), None)
            }
            (Phase::Ends, Fault::Down(target)) if !self.after.is_up(target) => {
                let root = self.after.root(target);
                let by = root.map_or_else(String::new, |root| self.state_of(root));
                (format!("{subject} is still down, now because {by}"), root)
            }
            (Phase::Begins, Fault::Degraded(service) | Fault::LastResort(service)) => {
                let roots = self.after.losses(service);
                let why = list(roots.iter().map(|&root| self.state_of(root)));
                let why = if roots.is_empty() { String::new() } else { format!(": {why}") };
                (format!("{}{why}", self.state_of(story.fault)), roots.first().copied())
            }
            (Phase::Begins, fault @ (Fault::Egress(_) | Fault::Balancers(_))) => {
                (format!("{}: {}", self.state_of(fault), self.names(&self.members(fault))), None)
            }
            (Phase::Begins, fault) => (self.state_of(fault), None),
            (Phase::Ends, fault) => (self.end_of(fault), None),
        };
        (format!("{sentence}{with}."), cause)
    }

    fn notice(&self, story: &Story) -> String {
        let (down, up): (Vec<_>, Vec<_>) = story.targets.iter().partition(|&&one| !self.after.is_up(one));
        let side = |targets: &[TargetId], is: &str| {
            (!targets.is_empty()).then(|| format!("{} {is}", self.names(targets)))
        };
        let sides = [side(&down, "went down too"), side(&up, "came back")];
        let sides: Vec<_> = sides.into_iter().flatten().collect();
        format!("{}: {}.", self.state_of(story.fault), sides.join(", "))
    }

    /// What changed with it: `, and with it vip:a, vip:b and 18 more`.
    fn with(&self, story: &Story) -> String {
        // Those that come back are not all that were down.
        let members = if story.phase == Phase::Begins { self.members(story.fault) } else { Vec::new() };
        let others = story.targets.iter().filter(|one| !members.contains(one));
        let names = self.names(&others.copied().collect::<Vec<_>>());
        let targets = if names.is_empty() { names } else { format!(", and with it {names}") };
        let services = match story.services.len() {
            0 => String::new(),
            1 => "; 1 service moves".to_owned(),
            count => format!("; {count} services move"),
        };
        targets + &services
    }

    fn state_of(&self, fault: Fault) -> String {
        let subject = self.say(fault);
        match fault {
            Fault::Forced(target, is_up) => {
                let action = if is_up { Action::Up } else { Action::Down };
                let is = if is_up { "up" } else { "down" };
                format!("{subject} is forced {is}{}", self.order(target, action))
            }
            Fault::Drained(target) => format!("{subject} is drained{}", self.order(target, Action::Drain)),
            Fault::Balancers(_) => format!("{subject} are down"),
            Fault::Egress(_) | Fault::Down(_) => format!("{subject} is down"),
            Fault::Waits(_) => format!("{subject} is well and waits for an operator's word"),
            Fault::Held(_) => format!("{subject} just recovered"),
            Fault::Rule(_, Ruled::On) => format!("{subject} is on"),
            Fault::Rule(_, Ruled::Unmeasured) => format!("{subject} is off for lack of a measure"),
            Fault::Rule(rule, Ruled::Failed) => match self.after.state.rule_states().get(rule) {
                Some(RuleState::Failed(why)) => format!("{subject} is off, because its condition {why}"),
                _ => format!("{subject} is off"),
            },
            Fault::Degraded(_) => format!("{subject} has VIPs of its second tier only"),
            Fault::LastResort(_) => format!("{subject} has no usable VIP and is at its last resort"),
        }
    }

    fn end_of(&self, fault: Fault) -> String {
        let subject = self.say(fault);
        match fault {
            Fault::Forced(..) => format!("{subject} is no longer forced"),
            Fault::Drained(_) => format!("{subject} is no longer drained"),
            Fault::Egress(_) => format!("{subject} is up again"),
            Fault::Balancers(_) => format!("{subject} are up again"),
            Fault::Down(_) => format!("{subject} is up again"),
            Fault::Waits(_) | Fault::Held(_) => format!("{subject} waits no more"),
            Fault::Rule(_, Ruled::On) => format!("{subject} is off"),
            Fault::Rule(_, Ruled::Unmeasured) => format!("{subject} is measured"),
            Fault::Rule(_, Ruled::Failed) => format!("{subject} has a value again"),
            Fault::Degraded(_) => format!("{subject} no longer has VIPs of its second tier only"),
            Fault::LastResort(_) => format!("{subject} is no longer at its last resort"),
        }
    }

    /// Who gave an order and why, where that is known.
    fn order(&self, target: TargetId, action: Action) -> String {
        let find = |side: Faults<'_>| side.state.statuses.words.get(&(target, action)).cloned();
        let Some(word) = find(self.after).or_else(|| find(self.before)) else { return String::new() };
        let by = if word.author.is_empty() { String::new() } else { format!(" by {}", word.author) };
        let why = if word.reason.is_empty() { String::new() } else { format!(" ({})", word.reason) };
        by + &why
    }

    fn say(&self, fault: Fault) -> String {
        let model = self.world.model();
        match fault {
            Fault::Egress(id) => format!("egress of {}", model.datacenter(id).name),
            Fault::Balancers(id) => format!("all balancers of {}", model.datacenter(id).name),
            _ => self.subject(fault),
        }
    }

    fn subject(&self, fault: Fault) -> String {
        let model = self.world.model();
        let target = match fault {
            Fault::Forced(target, _)
            | Fault::Drained(target)
            | Fault::Down(target)
            | Fault::Waits(target) => target,
            Fault::Egress(id) | Fault::Balancers(id) => model.datacenter(id).target,
            Fault::Degraded(service) | Fault::LastResort(service) => model.service(service).target,
            Fault::Held(vip) => model.vip(vip).target,
            Fault::Rule(rule, _) => return format!("rule:{}", model.rules()[rule].name),
        };
        self.name(target)
    }

    fn name(&self, target: TargetId) -> String {
        self.world.model().target(target).name.to_string()
    }

    /// The targets of which a fault of several consists.
    fn members(&self, fault: Fault) -> Vec<TargetId> {
        let model = self.world.model();
        match fault {
            Fault::Egress(id) => {
                model.datacenter(id).links.iter().map(|&one| model.link(one).target).collect()
            }
            Fault::Balancers(id) => {
                model.datacenter(id).balancers.iter().map(|&one| model.balancer(one).target).collect()
            }
            _ => Vec::new(),
        }
    }

    fn names(&self, targets: &[TargetId]) -> String {
        list(targets.iter().map(|&one| self.name(one)))
    }
}

/// `a, b, c and 17 more`.
fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    let spelled = names[..names.len().min(MAX_SPELLED)].join(", ");
    match names.len().saturating_sub(MAX_SPELLED) {
        0 => spelled,
        more => format!("{spelled} and {more} more"),
    }
}

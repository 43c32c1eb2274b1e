//! Operators' words: who said what about which target, why, and until when.
//!
//! The ledger keeps them under names, because they outlive reloads and
//! restarts; a word about a target that no policy declares any more stays in
//! it, without effect, until it ends or is taken back. There is one force and
//! one drain per target at a time: a new one replaces the old.
//!
//! `drain north --service www` is a word about the VIPs of one service in one
//! datacenter; it becomes one override for each of them.
//!
//! **Invariant:** the ledger knows no state; whether a word is safe is asked
//! of [`advance`](rhumb_policies::advance) before it is entered.

use std::fmt;
use std::time::Duration;

use rhumb_policies::{Action, Override};
use rhumb_zones::{Model, TargetId, TargetName};
use serde::{Deserialize, Serialize};

use crate::naming;

/// What an operator asks for, as `POST /orders` carries it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// What shall be done.
    pub what: What,
    /// Whom it is about: a target's name, a bare datacenter's, or a site's.
    /// Nothing means all of them, for `undrain`.
    #[serde(default)]
    pub target: Option<String>,
    /// The service, for `promote` and for drains of one service only.
    #[serde(default)]
    pub service: Option<String>,
    /// When it starts, in Unix seconds; at once when not said.
    #[serde(default)]
    pub starts: Option<u64>,
    /// How long it lasts, in seconds; without end when not said.
    #[serde(default)]
    pub lasts: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who.
    #[serde(default)]
    pub author: String,
    /// Do it even if a service is then left without a VIP of the first tier.
    #[serde(default)]
    pub yes_all_down: bool,
}

/// What an order does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Count a target as up.
    ForceUp,
    /// Count a target as down.
    ForceDown,
    /// Take a force back.
    Unforce,
    /// Answer what is under it only where nothing else is usable.
    Drain,
    /// Take drains back.
    Undrain,
    /// Make a datacenter the primary of a service.
    Promote,
    /// Let a target with `recovery: manual` recover.
    Recover,
    /// Miss a site no more that has fallen silent.
    Forget,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForceUp => "force up",
            Self::ForceDown => "force down",
            Self::Unforce => "unforce",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::Promote => "promote",
            Self::Recover => "recover",
            Self::Forget => "forget",
        })
    }
}

/// A word in force, or about to be. Times are Unix seconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Word {
    /// The target's full name.
    pub target: String,
    /// The one service it is about, if not all.
    #[serde(default)]
    pub service: Option<String>,
    /// `force-up`, `force-down` or `drain`.
    pub what: What,
    /// When it was said.
    pub said: u64,
    /// When it starts, if later.
    #[serde(default)]
    pub starts: Option<u64>,
    /// When it ends, if ever.
    #[serde(default)]
    pub expires: Option<u64>,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.target)?;
        self.service.as_ref().map_or(Ok(()), |service| write!(f, " for {service}"))?;
        if !self.author.is_empty() {
            write!(f, ", by {}", self.author)?;
        }
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

/// All words.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Ledger {
    words: Vec<Word>,
}

impl Ledger {
    /// Most words at a time: an operator speaks of some targets, not of all;
    /// a script gone wild must not fill the memory.
    pub const MAX_WORDS: usize = 10_000;

    /// Longest reason and author, in bytes.
    pub const MAX_TEXT: usize = 500;

    /// Every word, oldest first.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Enters a word, in place of the last one of its kind about its target.
    ///
    /// # Errors
    /// When there are too many.
    pub fn enter(&mut self, word: Word) -> Result<(), String> {
        let is_drain = |what: What| what == What::Drain;
        self.words.retain(|old| {
            (&old.target, &old.service, is_drain(old.what))
                != (&word.target, &word.service, is_drain(word.what))
        });
        if self.words.len() >= Self::MAX_WORDS {
            return Err(format!("there are {} overrides already", Self::MAX_WORDS));
        }
        self.words.push(word);
        Ok(())
    }

    /// Takes back the drains, or the forces, about `target` (and `service`);
    /// without a target all of them. Gives back what was taken.
    pub fn take(&mut self, drains: bool, target: Option<&str>, service: Option<&str>) -> Vec<Word> {
        let is_meant = |word: &Word| {
            (word.what == What::Drain) == drains
                && target.is_none_or(|target| word.target == target)
                && service.is_none_or(|service| word.service.as_deref() == Some(service))
        };
        let (taken, kept) = std::mem::take(&mut self.words).into_iter().partition(is_meant);
        self.words = kept;
        taken
    }

    /// Removes what has ended at `now`, and gives it back.
    pub fn expire(&mut self, now: Duration) -> Vec<Word> {
        let has_ended = |word: &Word| word.expires.is_some_and(|end| end <= now.as_secs());
        let (ended, kept) = std::mem::take(&mut self.words).into_iter().partition(has_ended);
        self.words = kept;
        ended
    }

    /// When the next word ends.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        self.words.iter().filter_map(|word| word.expires).min().map(Duration::from_secs)
    }

    /// What they mean for the targets of `model`.
    #[must_use]
    pub fn overrides(&self, model: &Model) -> Vec<Override> {
        self.words.iter().flat_map(|word| overrides(model, word)).collect()
    }
}

fn overrides(model: &Model, word: &Word) -> Vec<Override> {
    let action = match word.what {
        What::ForceUp => Action::Up,
        What::ForceDown => Action::Down,
        _ => Action::Drain,
    };
    let over = |target| Override {
        target,
        action,
        starts: word.starts.map(Duration::from_secs),
        expires: word.expires.map(Duration::from_secs),
        reason: word.reason.clone(),
        author: word.author.clone(),
    };
    targets(model, word).into_iter().map(over).collect()
}

/// The targets that a word is about; none if it is about none of this policy.
fn targets(model: &Model, word: &Word) -> Vec<TargetId> {
    let Ok(target) = naming::target(model, &word.target) else { return Vec::new() };
    let Some(service) = &word.service else { return vec![target] };
    let is_under = |vip: &&rhumb_zones::Vip| {
        let link = vip.link.map(|link| model.link(link).target);
        let datacenter = model.datacenter(vip.datacenter).target;
        model.service(vip.service).name == (&**service).into()
            && (link == Some(target) || datacenter == target)
    };
    model.vips().iter().filter(is_under).map(|vip| vip.target).collect()
}

/// Checks an order against the policy and gives back the word that it asks
/// to enter.
///
/// # Errors
/// When it names what is not declared, or what cannot be drained.
pub fn word(model: &Model, order: &Order, now: Duration) -> Result<Word, String> {
    for text in [&order.reason, &order.author] {
        if text.len() > Ledger::MAX_TEXT {
            return Err(format!("reason and author must have at most {} bytes", Ledger::MAX_TEXT));
        }
    }
    let text = order.target.as_deref().ok_or("a target must be given")?;
    let target = naming::target(model, text).map_err(|unknown| unknown.to_string())?;
    let name = &model.target(target).name;
    let service = order.service.as_deref().map(|name| service_named(model, name)).transpose()?;
    if order.what == What::Drain {
        let is_fit = matches!(
            name,
            TargetName::Datacenter(_) | TargetName::Link(..) | TargetName::Service(_) | TargetName::Vip(..)
        );
        if !is_fit {
            return Err(format!(
                "{name} cannot be drained: only datacenters, links, services and VIPs are answered"
            ));
        }
    }
    let starts = order.starts.filter(|&starts| starts > now.as_secs());
    let word = Word {
        target: name.to_string(),
        service,
        what: order.what,
        said: now.as_secs(),
        starts,
        expires: order.lasts.map(|lasts| starts.unwrap_or(now.as_secs()).saturating_add(lasts)),
        reason: order.reason.clone(),
        author: order.author.clone(),
    };
    if word.service.is_some() && targets(model, &word).is_empty() {
        let service = word.service.unwrap_or_default();
        return Err(format!("{service} has no VIP under {name}"));
    }
    Ok(word)
}

/// The name of the service that is meant.
///
/// # Errors
/// When there is none.
pub fn service_named(model: &Model, text: &str) -> Result<String, String> {
    let text = text.strip_prefix("service:").unwrap_or(text);
    let found = model.services().iter().find(|service| *service.name == *text);
    let names = model.services().iter().map(|service| &*service.name);
    found.map(|service| service.name.to_string()).ok_or_else(|| {
        let hint = rhumb_zones::did_you_mean(text, names).map(|hint| format!(" ({hint})"));
        format!("no service is named {text:?}{}", hint.unwrap_or_default())
    })
}

//! A key of a zone and what it does when.
//!
//! The times of BIND's key files are the whole state of a key: nothing else
//! is remembered anywhere, so that whoever has the files knows all, a server
//! that starts years later included. A key is *published* (stands in DNSKEY)
//! from `publish` until `delete`, *active* (signs) from `activate` until
//! `inactive`, and *offered* to the parent (stands in CDS and CDNSKEY) from
//! `sync_publish` until `sync_delete`. `ds_publish` says since when the
//! parent's DS is known to name it.
//!
//! The two spans are independent: a change of algorithm wants signatures
//! before the key is published (RFC 6781 §4.1.4).

use std::sync::Arc;

use rhumb_zones::Name;

use crate::algorithm::Algorithm;
use crate::pair::{KeyError, KeyPair};

/// A key with its zone and times.
#[derive(Clone, Debug)]
pub struct Key {
    /// The zone it belongs to.
    pub zone: Name,
    /// The key itself.
    pub pair: Arc<KeyPair>,
    /// What it does when.
    pub times: Times,
}

/// The times of a key, in seconds since 1970; nothing is never.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Times {
    /// When it was made; information.
    pub created: Option<u32>,
    /// From when it stands in DNSKEY.
    pub publish: Option<u32>,
    /// From when it signs.
    pub activate: Option<u32>,
    /// From when it no longer signs.
    pub inactive: Option<u32>,
    /// From when it no longer stands in DNSKEY.
    pub delete: Option<u32>,
    /// From when the parent is asked, by CDS and CDNSKEY, to vouch for it.
    pub sync_publish: Option<u32>,
    /// From when the parent is no longer asked.
    pub sync_delete: Option<u32>,
    /// Since when the parent's DS names it.
    pub ds_publish: Option<u32>,
}

impl Times {
    /// Whether it stands in DNSKEY at `now`.
    #[must_use]
    pub fn is_published(&self, now: u32) -> bool {
        within(self.publish, self.delete, now)
    }

    /// Whether it signs at `now`.
    #[must_use]
    pub fn is_active(&self, now: u32) -> bool {
        within(self.activate, self.inactive, now)
    }

    /// Whether it stands in CDS and CDNSKEY at `now`.
    #[must_use]
    pub fn is_offered(&self, now: u32) -> bool {
        within(self.sync_publish, self.sync_delete, now)
    }

    /// Whether nothing of it is left at `now`, nor will come.
    #[must_use]
    pub fn is_gone(&self, now: u32) -> bool {
        self.delete.is_some_and(|delete| delete <= now) && !self.is_active(now)
    }

    /// The next time after `now` at which it does something else.
    #[must_use]
    pub fn next_change(&self, now: u32) -> Option<u32> {
        let Self { publish, activate, inactive, delete, sync_publish, sync_delete, .. } = *self;
        let all = [publish, activate, inactive, delete, sync_publish, sync_delete];
        all.into_iter().flatten().filter(|&time| time > now).min()
    }
}

fn within(from: Option<u32>, until: Option<u32>, now: u32) -> bool {
    from.is_some_and(|from| from <= now) && until.is_none_or(|until| now < until)
}

impl Key {
    /// Makes a key without times but that of its making.
    ///
    /// # Errors
    /// As [`KeyPair::generate`].
    pub fn generate(zone: Name, algorithm: Algorithm, is_entry: bool, now: u32) -> Result<Self, KeyError> {
        let pair = Arc::new(KeyPair::generate(algorithm, is_entry)?);
        Ok(Self { zone, pair, times: Times { created: Some(now), ..Times::default() } })
    }

    /// What its files are called, without `.key` and `.private`: as BIND's
    /// are, `Kexample.com.+013+12345`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!(
            "K{}+{:03}+{:05}",
            zone_file_name(&self.zone),
            self.pair.algorithm().number(),
            self.pair.tag()
        )
    }
}

/// A zone's name as part of a file's name: lower case, final dot, what is
/// unusual as `%XX`.
#[must_use]
pub fn zone_file_name(zone: &Name) -> String {
    if zone.labels().next().is_none() {
        return ".".to_owned();
    }
    let mut out = String::new();
    for label in zone.labels() {
        for &byte in label {
            match byte.to_ascii_lowercase() {
                plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => out.push(char::from(plain)),
                other => out.push_str(&format!("%{other:02x}")),
            }
        }
        out.push('.');
    }
    out
}

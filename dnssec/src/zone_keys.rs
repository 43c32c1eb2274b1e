//! What the keys of a zone amount to at one moment.
//!
//! Who signs what follows from flags and times alone. Keys with the secure
//! entry point sign DNSKEY, CDS and CDNSKEY. The others sign the rest; for an
//! algorithm without such a key at work, the entry key signs the rest too and
//! is what is called a CSK, and of several the one at work longest, so that
//! the rest is signed once while entry keys roll. It is BIND's old rule, needs
//! no mark in the files, and makes a change from one key to two, or back, a
//! matter of times.

use std::sync::Arc;

use crate::algorithm::Algorithm;
use crate::ds::{Digest, ds};
use crate::key::Key;
use crate::pair::KeyPair;

/// The keys of a zone at one moment.
#[derive(Clone, Default, Debug)]
pub struct ZoneKeys {
    /// Data of the DNSKEY records, in canonical order.
    pub dnskeys: Vec<Vec<u8>>,
    /// Data of the CDS records; none while the parent need not change.
    pub cds: Vec<Vec<u8>>,
    /// Data of the CDNSKEY records, likewise.
    pub cdnskeys: Vec<Vec<u8>>,
    /// What signs DNSKEY, CDS and CDNSKEY.
    pub ksk: Vec<Arc<KeyPair>>,
    /// What signs all else.
    pub zsk: Vec<Arc<KeyPair>>,
    /// When any of this changes next, in seconds since 1970.
    pub next_change: Option<u32>,
}

impl ZoneKeys {
    /// The keys at `now`, seconds since 1970; all must be of one zone.
    #[must_use]
    pub fn at(keys: &[Key], now: u32) -> Self {
        let entries = || keys.iter().filter(|key| key.pair.is_entry());
        let pair = |key: &Key| Arc::clone(&key.pair);
        let published = keys.iter().filter(|key| key.times.is_published(now));
        let offered = || entries().filter(|key| key.times.is_offered(now));
        let mut zone_keys = Self {
            dnskeys: published.map(|key| key.pair.dnskey()).collect(),
            cds: offered().map(|key| ds(&key.zone, &key.pair, Digest::Sha256)).collect(),
            cdnskeys: offered().map(|key| key.pair.dnskey()).collect(),
            ksk: entries().filter(|key| key.times.is_active(now)).map(pair).collect(),
            zsk: Algorithm::ALL.iter().flat_map(|&of| zone_signers(keys, of, now)).map(pair).collect(),
            next_change: keys.iter().filter_map(|key| key.times.next_change(now)).min(),
        };
        // A zone in which only keys without the entry point are at work still
        // signs its keys.
        if zone_keys.ksk.is_empty() {
            zone_keys.ksk.clone_from(&zone_keys.zsk);
        }
        zone_keys.dnskeys.sort();
        zone_keys.cds.sort();
        zone_keys.cdnskeys.sort();
        zone_keys
    }

    /// Whether nothing can be signed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.zsk.is_empty()
    }
}

/// The keys of one algorithm that sign the zone's data.
pub(crate) fn zone_signers(keys: &[Key], of: Algorithm, now: u32) -> Vec<&Key> {
    let active = || keys.iter().filter(|key| key.pair.algorithm() == of && key.times.is_active(now));
    let plain: Vec<_> = active().filter(|key| !key.pair.is_entry()).collect();
    if plain.is_empty() {
        active().min_by_key(|key| (key.times.activate, key.pair.id())).into_iter().collect()
    } else {
        plain
    }
}

//! SOA serials that follow content and never go back.
//!
//! A secondary, a resolver's prefetch and a monitoring rule all read the
//! serial as "has this zone changed". So it moves when the zone's content
//! moves and at no other time: not for a reload that changes nothing, not for
//! a health change, not for a new geo database. Content is the static records
//! (with the SOA as the operator wrote it), what each service may answer, and
//! what the client of a transferred view is answered.
//!
//! A new content takes the larger of its *candidate* and the previous serial
//! plus one, by the arithmetic of RFC 1982 §3. The candidate is the serial of
//! the zone's file, where it has one, else the time of the newest file that
//! the zone was read from, in Unix seconds: servers that are given the same
//! files with their times agree without talking to each other.
//!
//! With a state directory the list survives restarts as one small JSON file,
//! replaced atomically. Zones that are gone stay in it: one that comes back
//! must not go back. A file that cannot be understood is set aside, not
//! deleted and not fatal: serving matters more than the serial.
//!
//! The hash is FNV-1a, because it must be the same in every version of this
//! program, which std's hashers do not promise; nobody gains by a collision.
//!
//! A signed zone that may be transferred is also its keys, and its signatures:
//! they grow old at secondaries, so its serial moves with the clock as well.
//!
//! **Invariant:** nothing here depends on the generation or a verdict.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_dnssec::ZoneKeys;
use rhumb_zones::{Model, Name, Record, Rtype, Zone, ZoneId};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::snapshot::Views;
use crate::transfer::epoch;

/// What content is besides the policy's own words.
#[derive(Clone, Copy, Debug)]
pub struct Also<'a> {
    /// What is transferred of services.
    pub views: &'a Views,
    /// Keys of zones, by zone.
    pub keys: &'a [Option<Arc<ZoneKeys>>],
    /// Seconds since 1970: signatures that are transferred grow old.
    pub now: u32,
}

/// The serial of each zone, and the content it was given for.
#[derive(Clone, Debug, Default)]
pub struct Serials {
    zones: BTreeMap<String, Entry>,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Entry {
    content: u64,
    serial: u32,
}

impl Serials {
    /// The list's file in a state directory.
    const FILE: &str = "serials.json";
    /// Larger files are not ours: 100,000 zones take 10 MB.
    const MAX_FILE: u64 = 64 << 20;

    /// The list kept in `directory`, made if missing; one that lives in
    /// memory alone without.
    ///
    /// # Errors
    /// When the directory cannot be made or the file cannot be read. A file
    /// that reads but makes no sense is renamed to `serials.json.bad`.
    pub fn open(directory: Option<&Path>) -> io::Result<Self> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        std::fs::create_dir_all(directory)?;
        let path = directory.join(Self::FILE);
        let zones = match read(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(io::Error::from),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => Ok(BTreeMap::new()),
                io::ErrorKind::InvalidData => Err(error),
                _ => return Err(error),
            },
        };
        let zones = zones.or_else(|error| {
            let aside = path.with_extension("json.bad");
            tracing::warn!(file = %path.display(), %error, "serials make no sense: set aside, starting anew");
            std::fs::rename(&path, aside).map(|()| BTreeMap::new())
        })?;
        Ok(Self { zones, path: Some(path) })
    }

    /// The serial of each zone of `model`, by zone. `newest` is the time of
    /// the newest file a zone was read from, in Unix seconds.
    pub fn assign(&mut self, (model, also): (&Model, &Also<'_>), newest: impl Fn(&Zone) -> u32) -> Vec<u32> {
        let serial_of = |(index, zone): (usize, &Zone)| {
            let content = content((model, zone), (ZoneId::new(index), also));
            let key = zone.name.to_string().to_ascii_lowercase();
            let candidate = if zone.soa_from_file { soa_serial(zone) } else { None };
            let candidate = candidate.unwrap_or_else(|| newest(zone));
            let serial = next(self.zones.get(&key).copied(), content, candidate);
            self.zones.insert(key, Entry { content, serial });
            serial
        };
        model.zones().iter().enumerate().map(serial_of).collect()
    }

    /// Writes the list, if it has a place.
    ///
    /// # Errors
    /// When the file cannot be written whole; the old one then stands.
    pub fn save(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        files::replace(path, |file| {
            serde_json::to_writer(&mut *file, &self.zones)?;
            file.write_all(b"\n")
        })
    }
}

fn read(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > Serials::MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large"));
    }
    std::fs::read_to_string(path)
}

/// The serial for `content`, after `previous`.
fn next(previous: Option<Entry>, content: u64, candidate: u32) -> u32 {
    match previous {
        Some(entry) if entry.content == content => entry.serial,
        // Half of the number circle lies ahead of a serial (RFC 1982 §3.2).
        Some(entry) => match candidate.wrapping_sub(entry.serial) {
            1..0x8000_0000 => candidate,
            _ => entry.serial.wrapping_add(1),
        },
        None => candidate,
    }
}

/// The serial in the zone's SOA record: after two names, first of five numbers.
fn soa_serial(zone: &Zone) -> Option<u32> {
    let soa = zone.records.records.iter().find(|record| record.rtype == Rtype::SOA)?;
    let numbers = soa.rdata.last_chunk::<20>()?;
    numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

fn content((model, zone): (&Model, &Zone), (id, also): (ZoneId, &Also<'_>)) -> u64 {
    let mut hash = Fnv::default();
    for record in zone.records.records.iter().chain(also.views.zone(id).iter().map(Record::view)) {
        hash.field(&record.owner.folded());
        hash.field(&record.rtype.0.to_be_bytes());
        hash.field(&record.ttl.to_be_bytes());
        hash.field(record.rdata);
    }
    if zone.transfer.as_ref().is_some_and(|transfer| transfer.zonemd) {
        hash.field(b"zonemd");
    }
    let mut services: Vec<_> = zone.services.iter().map(|&id| model.service(id)).collect();
    services.sort_by(|a, b| a.owner.cmp(&b.owner));
    for service in services {
        hash.field(&service.owner.folded());
        hash.field(&service.ttl.as_secs().to_be_bytes());
        for vip in service.vips.iter().map(|&id| model.vip(id)).filter(|vip| vip.enabled) {
            vip.addresses.iter().for_each(|address| hash.field(address.to_string().as_bytes()));
            hash.field(vip.alias.as_ref().map_or(&[], Name::as_wire));
            hash.field(&vip.port.unwrap_or(0).to_be_bytes());
            hash.field(vip.alpn.join(",").as_bytes());
        }
    }
    if let (Some(epoch), Some(keys)) = (epoch(zone, also.now), &also.keys[id.index()]) {
        hash.field(&epoch.to_be_bytes());
        keys.dnskeys.iter().chain(&keys.cds).chain(&keys.cdnskeys).for_each(|rdata| hash.field(rdata));
        keys.ksk.iter().chain(&keys.zsk).for_each(|key| hash.field(&key.tag().to_be_bytes()));
        let parameters = zone.dnssec.as_ref().map(|dnssec| (dnssec.denial, &dnssec.nsec3, dnssec.dnskey_ttl));
        hash.field(format!("{parameters:?}").as_bytes());
    }
    hash.0
}

/// FNV-1a, 64 bits (draft-eastlake-fnv); each field is preceded by its length.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn field(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_be_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_follow_content() {
        let entry = |content, serial| Some(Entry { content, serial });
        let rows = [
            (None, 1, 77, 77, "the first content takes its candidate"),
            (entry(1, 50), 1, 77, 50, "the same content keeps its serial"),
            (entry(1, 50), 2, 77, 77, "a candidate ahead is taken"),
            (entry(1, 50), 2, 50, 51, "a candidate that stands still is passed"),
            (entry(1, 50), 2, 40, 51, "never back"),
            (entry(1, u32::MAX), 2, 5, 5, "5 is ahead of the last number"),
            (entry(1, u32::MAX), 2, 0x9000_0000, 0, "behind, so one further, round the corner"),
            (entry(1, 0), 2, 0x8000_0000, 1, "the far side of the circle is undefined: not ahead"),
        ];
        for (previous, content, candidate, want, why) in rows {
            assert_eq!(next(previous, content, candidate), want, "{why}");
        }
    }

    #[test]
    fn fields_do_not_run_together() {
        let hash = |fields: &[&str]| {
            let mut hash = Fnv::default();
            fields.iter().for_each(|field| hash.field(field.as_bytes()));
            hash.0
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(Fnv::default().0, 0xcbf2_9ce4_8422_2325, "the basis is part of the state file's format");
    }

    #[test]
    fn state_survives_and_bad_state_is_set_aside() {
        let directory = std::env::temp_dir().join(format!("rhumb-serials-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let mut serials = Serials::open(Some(&directory)).expect("a fresh directory");
        serials.zones.insert("example.".to_owned(), Entry { content: 1, serial: 2 });
        serials.save().expect("saved");
        let again = Serials::open(Some(&directory)).expect("read");
        assert_eq!(again.zones, serials.zones, "what was saved is read");

        std::fs::write(directory.join(Serials::FILE), "{\"example.\": 5").expect("written");
        let anew = Serials::open(Some(&directory)).expect("a bad file is not fatal");
        assert_eq!(anew.zones, BTreeMap::new(), "it starts anew");
        assert!(directory.join("serials.json.bad").exists(), "the bad file is kept for a look");
        let _ = std::fs::remove_dir_all(&directory);
    }
}

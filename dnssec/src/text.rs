//! Keys as text: BIND's pair of files.
//!
//! `.key` holds the DNSKEY record, `.private` the private numbers and the
//! times; both are needed, since the private numbers of a curve do not say
//! the flags. Version 1.3 is read and written, what dnssec-keygen has made
//! since 2009. Times are read from `.private` alone; the comments in `.key`
//! repeat them for people.
//!
//! BIND refuses tags that it does not know, so nothing of our own is written;
//! what it knows and we do not use (`Revoke`, the engine's) is refused or
//! passed over when read, as the tag allows.

use std::fmt::Write as _;
use std::sync::Arc;

use rhumb_zones::rdata::{self, display_time, scan_base64, scan_time, to_base64};
use rhumb_zones::{Name, Rtype};

use crate::algorithm::Algorithm;
use crate::key::{Key, Times};
use crate::pair::{KeyError, KeyPair, RSA_NUMBERS};

/// Largest key file, bytes: RSA with 4096 bits takes 4,000.
pub const MAX_KEY_FILE: usize = 16 << 10;

/// Tags of the private numbers of RSA, in the order of the pair's.
const RSA_TAGS: [&str; RSA_NUMBERS] = [
    "Modulus",
    "PublicExponent",
    "PrivateExponent",
    "Prime1",
    "Prime2",
    "Exponent1",
    "Exponent2",
    "Coefficient",
];
/// Tag of the private number of a key on a curve.
const CURVE_TAG: &str = "PrivateKey";

/// The two files of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// Content of `.key`.
    pub public: String,
    /// Content of `.private`: secret.
    pub private: String,
}

/// What is wrong with a key's files.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// A file is larger than [`MAX_KEY_FILE`].
    #[error("a key file must be at most {} KB", MAX_KEY_FILE >> 10)]
    TooLarge,
    /// `.key` is not a DNSKEY record.
    #[error("the .key file must hold one DNSKEY record: {0}")]
    Record(String),
    /// An algorithm that is not among [`Algorithm::ALL`].
    #[error("the algorithm must be 8 (RSASHA256), 13 (ECDSAP256SHA256) or 15 (ED25519), not {0}")]
    Algorithm(u8),
    /// Not version 1.x of the format.
    #[error("the .private file must begin with \"Private-key-format: v1.3\"")]
    Format,
    /// The two files are of different algorithms.
    #[error("the .private file must be of the algorithm of the .key file")]
    Mismatch,
    /// A tag of the private key is missing or is no base64.
    #[error("the .private file must have a good line \"{0}:\"")]
    Line(&'static str),
    /// RFC 5011.
    #[error("the key must not be revoked: revocation (RFC 5011) is not supported, retire the key instead")]
    Revoked,
    /// Numbers that make no key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl KeyText {
    /// The files of a key.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        Self { public: public(key), private: private(key) }
    }

    /// Reads the key of two files.
    ///
    /// # Errors
    /// Where they are no key: see [`TextError`].
    pub fn scan(&self) -> Result<Key, TextError> {
        if self.public.len().max(self.private.len()) > MAX_KEY_FILE {
            return Err(TextError::TooLarge);
        }
        let (zone, rdata) = scan_record(&self.public)?;
        let [high, low, protocol, number, public @ ..] = &rdata[..] else {
            return Err(TextError::Record("its data is too short".to_owned()));
        };
        if *protocol != 3 {
            return Err(TextError::Record("its protocol must be 3".to_owned()));
        }
        let algorithm = Algorithm::from_number(*number).ok_or(TextError::Algorithm(*number))?;
        let flags = u16::from_be_bytes([*high, *low]);
        let lines = Lines::scan(&self.private)?;
        let said = lines.get("Algorithm").and_then(|text| text.split_whitespace().next());
        if said != Some(algorithm.number().to_string().as_str()) {
            return Err(TextError::Mismatch);
        }
        let pair = match algorithm {
            Algorithm::RsaSha256 => {
                let mut numbers: [Vec<u8>; RSA_NUMBERS] = Default::default();
                for (number, tag) in numbers.iter_mut().zip(RSA_TAGS) {
                    *number = lines.number(tag)?;
                }
                KeyPair::from_rsa(flags, public, numbers)?
            }
            Algorithm::EcdsaP256 | Algorithm::Ed25519 => {
                KeyPair::from_curve(algorithm, flags, (&lines.number(CURVE_TAG)?, public))?
            }
        };
        Ok(Key { zone, pair: Arc::new(pair), times: lines.times()? })
    }
}

/// The times and their tags.
fn tagged(times: &mut Times) -> [(&'static str, &mut Option<u32>); 8] {
    let Times { created, publish, activate, inactive, delete, sync_publish, sync_delete, ds_publish } = times;
    [
        ("Created", created),
        ("Publish", publish),
        ("Activate", activate),
        ("Inactive", inactive),
        ("Delete", delete),
        ("SyncPublish", sync_publish),
        ("SyncDelete", sync_delete),
        ("DSPublish", ds_publish),
    ]
}

fn public(key: &Key) -> String {
    let (zone, pair) = (absolute(&key.zone), &key.pair);
    let role = if pair.is_entry() { "key" } else { "zone" };
    let mut out = format!("; This is a {role}-signing key, keyid {}, for {zone}\n", pair.tag());
    for (tag, time) in tagged(&mut key.times.clone()) {
        if let Some(time) = time {
            let _ = writeln!(out, "; {tag}: {}", display_time(*time));
        }
    }
    let data = rdata::display(Rtype::DNSKEY, &pair.dnskey());
    let _ = writeln!(out, "{zone} IN DNSKEY {data}");
    out
}

fn private(key: &Key) -> String {
    let algorithm = key.pair.algorithm();
    let (number, mnemonic) = (algorithm.number(), algorithm.mnemonic());
    let mut out = format!("Private-key-format: v1.3\nAlgorithm: {number} ({mnemonic})\n");
    let tags = if algorithm == Algorithm::RsaSha256 { &RSA_TAGS[..] } else { &[CURVE_TAG] };
    for (tag, number) in tags.iter().zip(key.pair.numbers()) {
        let _ = writeln!(out, "{tag}: {}", to_base64(number));
    }
    for (tag, time) in tagged(&mut key.times.clone()) {
        if let Some(time) = time {
            let _ = writeln!(out, "{tag}: {}", display_time(*time));
        }
    }
    out
}

/// With the final dot, which `Display` leaves out.
fn absolute(name: &Name) -> String {
    let text = name.to_string();
    if text.ends_with('.') && name.labels().next().is_none() { text } else { text + "." }
}

/// Owner and data of the DNSKEY record in `.key`.
fn scan_record(text: &str) -> Result<(Name, Vec<u8>), TextError> {
    let wrong = |what: &str| TextError::Record(what.to_owned());
    let mut lines = text.lines().map(|line| line.split(';').next().unwrap_or("").trim());
    let record = lines.by_ref().find(|line| !line.is_empty()).ok_or_else(|| wrong("nothing is there"))?;
    let data_on_more = lines.any(|line| !line.is_empty());
    if data_on_more {
        return Err(wrong("it must stand on one line, alone"));
    }
    let mut words = record.split_ascii_whitespace();
    let zone = words.next().ok_or_else(|| wrong("nothing is there"))?;
    let zone = Name::scan_absolute(zone).map_err(|error| wrong(&error.to_string()))?;
    let is_ttl_or_class =
        |word: &&str| word.eq_ignore_ascii_case("IN") || word.bytes().all(|byte| byte.is_ascii_digit());
    let word = words.by_ref().find(|word| !is_ttl_or_class(word));
    if !word.is_some_and(|word| word.eq_ignore_ascii_case("DNSKEY")) {
        return Err(wrong("its type must be DNSKEY"));
    }
    let data: Vec<&str> = words.collect();
    let data = rdata::scan(Rtype::DNSKEY, &data.join(" "), &Name::root());
    Ok((zone, data.map_err(|error| wrong(&error.what))?))
}

/// The lines `Tag: value` of `.private`, the first of each tag.
struct Lines<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Lines<'t> {
    fn scan(text: &'t str) -> Result<Self, TextError> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(';'));
        let first = lines.next().and_then(|line| line.strip_prefix("Private-key-format:"));
        if !first.is_some_and(|version| version.trim().starts_with("v1.")) {
            return Err(TextError::Format);
        }
        let pairs = lines.filter_map(|line| line.split_once(':'));
        Ok(Self(pairs.map(|(tag, value)| (tag.trim(), value.trim())).collect()))
    }

    fn get(&self, tag: &str) -> Option<&'t str> {
        self.0.iter().find(|(found, _)| *found == tag).map(|&(_, value)| value)
    }

    fn number(&self, tag: &'static str) -> Result<Vec<u8>, TextError> {
        self.get(tag).and_then(scan_base64).ok_or(TextError::Line(tag))
    }

    fn times(&self) -> Result<Times, TextError> {
        if self.get("Revoke").is_some() {
            return Err(TextError::Revoked);
        }
        let mut times = Times::default();
        for (tag, time) in tagged(&mut times) {
            *time = match self.get(tag) {
                Some(text) => Some(time_of(text).ok_or(TextError::Line(tag))?),
                None => None,
            };
        }
        Ok(times)
    }
}

/// The time of a line; a date in words may follow.
fn time_of(text: &str) -> Option<u32> {
    scan_time(text.split_whitespace().next()?)
}

//! `rhumb keys`: the keys of signed zones, as files.
//!
//! It works on the directory, whether a server runs or not; one that runs
//! notices within half a minute, at once where files are watched. Every change
//! holds the zone's lock, so command and server never write at once.

mod change;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use rhumb_dnssec::rollover::advance;
use rhumb_dnssec::{Algorithm, Digest, Key, ds};
use rhumb_zones::{Diagnostics, LoadOptions, Name, Rtype, rdata};

use super::{Ending, Failure, complain, print};
use crate::keys::{Store, policy_of, state};
use crate::load::{Load, Loader, Sources};
use crate::net::clock;

/// See to the keys of signed zones, the server running or not
#[derive(clap::Args)]
pub(super) struct Keys {
    /// Directory of keys: --keys of the server, or `keys` in its --state
    #[arg(long, global = true, value_name = "DIR", env = "RHUMB_KEYS", default_value = "keys")]
    keys: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the keys of a zone
    List {
        /// The zone
        zone: String,
    },
    /// Say what each key does, since when, and what comes next
    Status {
        /// The zone
        zone: String,
        /// Policy files of the zone: what is due by its `dnssec:` is shown too
        #[arg(long, value_name = "PATH")]
        policy: Vec<PathBuf>,
    },
    /// Print the DS records for the parent
    Ds {
        /// The zone
        zone: String,
        /// SHA-384 instead of SHA-256
        #[arg(long)]
        sha384: bool,
    },
    #[command(flatten)]
    Change(change::Change),
}

impl Keys {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let store = Store::new(self.keys);
        match self.action {
            Action::List { zone } => list(&store, &name(&zone)?),
            Action::Status { zone, policy } => status(&store, &name(&zone)?, policy),
            Action::Ds { zone, sha384 } => {
                let digest = if sha384 { Digest::Sha384 } else { Digest::Sha256 };
                print_ds(&store, &name(&zone)?, digest)
            }
            Action::Change(change) => change.run(&store),
        }
    }
}

fn name(text: &str) -> Result<Name, Failure> {
    Name::scan_absolute(text).map_err(|error| format!("{text}: {error}").into())
}

/// The keys of a zone; what is wrong with files is complained of.
fn read(store: &Store, zone: &Name) -> Result<Vec<Key>, Failure> {
    let mut wrong = Diagnostics::default();
    let keys = store.read_now(zone, &mut wrong).keys;
    if !wrong.is_empty() {
        complain(&wrong.to_string().trim_end());
    }
    if wrong.refuse() {
        return Err("key files are wrong; nothing was done".into());
    }
    Ok(keys)
}

/// `csk`, `ksk` or `zsk`: an entry key beside another for the data is a KSK.
fn role(key: &Key, keys: &[Key]) -> &'static str {
    let has_zsk = keys.iter().any(|other| !other.pair.is_entry() && !other.times.is_gone(clock()));
    match (key.pair.is_entry(), has_zsk) {
        (false, _) => "zsk",
        (true, true) => "ksk",
        (true, false) => "csk",
    }
}

fn list(store: &Store, zone: &Name) -> Result<Ending, Failure> {
    let keys = read(store, zone)?;
    for key in &keys {
        print(&format_args!(
            "{:5}  {}  {:10}  {}",
            key.pair.tag(),
            role(key, &keys),
            key.pair.algorithm(),
            key.stem()
        ))?;
    }
    if keys.is_empty() {
        complain(&format_args!("no keys in {}", store.directory(zone).display()));
        return Ok(Ending::Bad);
    }
    Ok(Ending::Well)
}

fn status(store: &Store, zone: &Name, policies: Vec<PathBuf>) -> Result<Ending, Failure> {
    let (keys, now) = (read(store, zone)?, clock());
    let mut out = String::new();
    for key in &keys {
        let (tag, algorithm) = (key.pair.tag(), key.pair.algorithm());
        let _ = writeln!(out, "{tag:5}  {}  {algorithm:10}  {}", role(key, &keys), state(key, now));
    }
    if !policies.is_empty() {
        let sources = Sources { policies, ..Sources::default() };
        let Load { loaded, diagnostics, .. } = Loader::new(sources, LoadOptions::default()).load();
        let Some(loaded) = loaded else {
            complain(&diagnostics.to_string().trim_end());
            return Ok(Ending::Bad);
        };
        let policy = policy_of(loaded.world.model(), zone)
            .ok_or_else(|| format!("{zone} is not signed by the policy"))?;
        let next = advance(&keys, &policy, now);
        let what = match (next.acts.len(), next.due) {
            (0, Some(due)) => format!("next step {}", crate::keys::moment(due)),
            (0, None) => "no step is due".to_owned(),
            (count, _) => format!("{count} steps are due now"),
        };
        let waits = if next.awaits_ds.is_empty() { "" } else { "; waits for the parent's DS" };
        let _ = writeln!(out, "{what}{waits}");
    }
    print(&out.trim_end())?;
    Ok(if keys.is_empty() { Ending::Bad } else { Ending::Well })
}

fn print_ds(store: &Store, zone: &Name, digest: Digest) -> Result<Ending, Failure> {
    let keys = read(store, zone)?;
    let wanted =
        |key: &&Key| key.pair.is_entry() && key.times.inactive.is_none() && key.times.publish.is_some();
    for key in keys.iter().filter(wanted) {
        let dot = if zone.labels().next().is_some() { "." } else { "" };
        print(&format_args!(
            "{zone}{dot} IN DS {}",
            rdata::display(Rtype::DS, &ds(zone, &key.pair, digest))
        ))?;
    }
    Ok(if keys.iter().any(|key| wanted(&key)) { Ending::Well } else { Ending::Bad })
}

/// The words of `--algorithm`.
fn algorithm(text: &str) -> Result<Algorithm, String> {
    let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.word() == text);
    found.ok_or_else(|| "must be ecdsa-p256 or ed25519".to_owned())
}

//! Reload under load: an edit every second, and no query lost or answered
//! wrongly.
//!
//! One thread asks without pause for the time of a load at a steady rate; the
//! test edits the policy once a second, in turn by rename, as editors save,
//! and in place, as scripts do; every fifth edit is invalid and must change
//! nothing. The address of the service numbers the edit, so that each answer
//! says which one it came from: it must lie between the last edit known to be
//! served before the query left and the last one begun before its answer came
//! back. Each edit must be served within [`TAKES_EFFECT`].
//!
//! Five seconds by default, sixty with `RHUMB_LONG=1`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::programs::{Rhumb, fresh_directory};

/// Queries a second: steady, and far below what one worker serves, so that
/// what is lost is lost by the reload.
const RATE: u32 = 2_000;

/// A query unanswered for so long is lost. Loopback answers in microseconds;
/// a busy machine may take a thread off its core for some of this.
const LOST: Duration = Duration::from_secs(1);

/// An edit must be served within this time.
const TAKES_EFFECT: Duration = Duration::from_secs(1);

/// What the editor and the asker know of each other.
#[derive(Default)]
struct Edits {
    /// The last valid edit begun.
    begun: AtomicU16,
    /// The last one that an answer has shown.
    served: AtomicU16,
    over: AtomicBool,
}

/// What the asker counted.
#[derive(Default, Debug)]
struct Tally {
    answered: u32,
    lost: u32,
    wrong: Vec<String>,
}

#[test]
fn edits_under_load_lose_nothing() {
    let seconds: u32 = if std::env::var_os("RHUMB_LONG").is_some() { 60 } else { 5 };
    let directory = fresh_directory("reload-load");
    let policy = directory.join("policy.yaml");
    fs::write(&policy, text(0)).unwrap();
    let rhumb = Rhumb::serve(&directory, &policy, &["127.0.0.1:0"], &[]);

    let edits = Arc::new(Edits::default());
    let asker = thread::spawn({
        let (edits, server) = (Arc::clone(&edits), rhumb.listening[0]);
        move || ask(server, &edits)
    });
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    for second in 1..=seconds {
        let edit = u16::try_from(second).unwrap();
        if edit % 5 == 4 {
            fs::write(&policy, "zone: gslb.example.com\nservices: { www: { vipz: {} } }\n").unwrap();
        } else {
            edits.begun.store(edit, Ordering::SeqCst);
            save(&policy, edit);
            slowest = slowest.max(until_served(&edits, edit));
        }
        thread::sleep((Duration::from_secs(1) * second).saturating_sub(start.elapsed()));
    }
    edits.over.store(true, Ordering::SeqCst);
    let tally = asker.join().unwrap();
    println!("{} answers, slowest edit {slowest:?}", tally.answered);
    assert_eq!((tally.lost, &tally.wrong), (0, &Vec::new()), "of {} answered", tally.answered);
    assert!(
        tally.answered >= seconds * RATE / 2,
        "{}: the asker itself was too slow to prove anything",
        tally.answered
    );
}

/// The policy whose answer is the number of its edit.
fn text(edit: u16) -> String {
    let [high, low] = edit.to_be_bytes();
    format!(
        "zone: gslb.example.com\ndatacenters: {{ fra: {{ at: [50.1, 8.7] }} }}\n\
         services: {{ www: {{ vips: {{ fra: 10.0.{high}.{low} }} }} }}\n"
    )
}

/// Saves in turn as editors do and as scripts do.
fn save(policy: &Path, edit: u16) {
    if edit.is_multiple_of(2) {
        let aside = policy.with_extension("new");
        fs::write(&aside, text(edit)).unwrap();
        fs::rename(&aside, policy).unwrap();
    } else {
        // Two writes: what stands in between is a prefix, and no policy.
        let text = text(edit);
        let (first, second) = text.split_at(text.len() / 2);
        let mut file = File::create(policy).unwrap();
        file.write_all(first.as_bytes()).unwrap();
        file.write_all(second.as_bytes()).unwrap();
    }
}

fn until_served(edits: &Edits, edit: u16) -> Duration {
    let start = Instant::now();
    while edits.served.load(Ordering::SeqCst) < edit {
        assert!(start.elapsed() < TAKES_EFFECT, "edit {edit} is not served after {TAKES_EFFECT:?}");
        thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}

/// Asks at [`RATE`], one query at a time, until it is over.
fn ask(server: SocketAddr, edits: &Edits) -> Tally {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(LOST)).unwrap();
    let mut query = *b"\0\0\0\0\0\x01\0\0\0\0\0\0\x03www\x04gslb\x07example\x03com\0\0\x01\0\x01";
    let mut reply = [0; 512];
    let mut tally = Tally::default();
    let start = Instant::now();
    for number in 0_u32.. {
        if edits.over.load(Ordering::SeqCst) {
            break;
        }
        thread::sleep((Duration::from_secs(1) / RATE * number).saturating_sub(start.elapsed()));
        query[..2].copy_from_slice(&number.to_be_bytes()[2..]);
        let least = edits.served.load(Ordering::SeqCst);
        socket.send(&query).unwrap();
        let Ok(length) = socket.recv(&mut reply) else {
            tally.lost += 1;
            continue;
        };
        let most = edits.begun.load(Ordering::SeqCst);
        tally.answered += 1;
        match edit_of(&reply[..length], &query) {
            Some(edit) if (least..=most).contains(&edit) => {
                edits.served.fetch_max(edit, Ordering::SeqCst);
            }
            edit => tally.wrong.push(format!("query {number}: edit {edit:?}, not {least} to {most}")),
        }
    }
    tally
}

/// The edit that a reply shows: the last two octets of its one address.
fn edit_of(reply: &[u8], query: &[u8]) -> Option<u16> {
    let good_header = reply.get(..2)? == &query[..2] && reply[2] & 0x80 != 0 && reply[3] & 0x0F == 0;
    let one_answer = reply.get(6..8)? == [0, 1];
    let [.., 10, 0, high, low] = reply else { return None };
    (good_header && one_answer).then(|| u16::from_be_bytes([*high, *low]))
}

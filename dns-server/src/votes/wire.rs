//! Votes as lines of JSON.
//!
//! The prober speaks first, one line, and is answered with one:
//!
//! ```text
//! {"rhumb":1,"site":"south","prober":"host-1","epoch":1790000000000}
//! {"rhumb":1}                                   or {"rhumb":1,"refused":"…"}
//! ```
//!
//! After that only the prober speaks: a message with every vote it has, then
//! one for whatever changed or was confirmed, and an empty one when there was
//! nothing to say for [`HEARTBEAT`].
//!
//! ```text
//! {"seq":1,"votes":[{"subject":"vip:www/north/a@192.0.2.10","status":"up","settled":true,"age_ms":12,
//!   "loss":0.0,"delay_ms":1.5,"p50_ms":1.4,"p95_ms":2.0,"jitter_ms":0.1,"tries":60,"failure":null}]}
//! ```
//!
//! `epoch` is when the prober started, in milliseconds since 1970 by its own
//! clock; a newer one replaces the same prober's older one. `seq` grows by at
//! least one from message to message of an epoch, over all its connections.
//! `age_ms` says how old a vote is instead of when it was cast: the clocks of
//! two sites need not agree. Unknown keys are ignored, so that a message may
//! grow; a change that old servers must not ignore takes another `rhumb`.
//!
//! JSON and not a packed form: a vote is a few hundred bytes, ten thousand of
//! them every two seconds are 1 MB/s, and what goes wrong between two sites can
//! be read off the log.
//!
//! **Invariant:** what comes out of this module is within its limits, whatever
//! came in.

use std::sync::Arc;
use std::time::Duration;

use rhumb_health::ballot::Vote;
use rhumb_health::{Failure, Measure, Status};
use serde::{Deserialize, Serialize};

/// The version of the protocol.
const VERSION: u32 = 1;

/// Longest hello or answer, bytes: two names of at most 253 and a number.
pub(super) const MAX_HELLO: usize = 1024;

/// Longest message, bytes: [`MAX_VOTES`] of the longest votes fit.
pub(super) const MAX_LINE: usize = 256 * 1024;

/// Votes of one message at most. A message is what a server reads at one go;
/// thousands would make others wait.
pub(super) const MAX_VOTES: usize = 128;

/// Longest name of a subject, bytes: a service, a datacenter and a link of
/// DNS labels' length, and an address.
pub(super) const MAX_SUBJECT: usize = 512;

/// Longest silence of a prober that is well.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Longest name of a site: that of a DNS name (RFC 1035 §2.3.4).
const MAX_SITE: usize = 253;

/// Longest name of a prober: that of a host (RFC 1123 §2.1 asks for 63).
const MAX_PROBER: usize = 63;

/// Longest delay that is believed, milliseconds: no probe waits a day.
const MAX_DELAY: f64 = 86_400_000.0;

// Of a vote, besides its texts: keys and numbers. A byte of failure is six in
// JSON at most.
const _: () = assert!(MAX_VOTES * (MAX_SUBJECT + 6 * Failure::MAX_TEXT + 384) < MAX_LINE);

/// Who speaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    rhumb: u32,
    pub(super) site: Arc<str>,
    pub(super) prober: Arc<str>,
    pub(super) epoch: u64,
}

impl Hello {
    pub(super) fn new(site: &Arc<str>, prober: &Arc<str>, epoch: Duration) -> Self {
        let (site, prober) = (Arc::clone(site), Arc::clone(prober));
        Self { rhumb: VERSION, site, prober, epoch: milliseconds(epoch) }
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, WireError> {
        let hello: Self = serde_json::from_slice(line)?;
        if hello.rhumb != VERSION {
            return Err(WireError::Version(hello.rhumb));
        }
        check_site(&hello.site)?;
        check_prober(&hello.prober)?;
        Ok(hello)
    }
}

/// Whether `site` can vote: its certificate must be able to bear the name.
pub(super) fn check_site(site: &str) -> Result<(), WireError> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match (1..=MAX_SITE).contains(&site.len()) && site.bytes().all(is_good) {
        true => Ok(()),
        false => Err(WireError::Site),
    }
}

/// Whether a prober may be called `prober`.
pub(super) fn check_prober(prober: &str) -> Result<(), WireError> {
    match (1..=MAX_PROBER).contains(&prober.len()) && prober.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(WireError::Prober),
    }
}

/// What a server says to a hello.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    rhumb: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

impl Answer {
    pub(super) const fn new(refused: Option<String>) -> Self {
        Self { rhumb: VERSION, refused }
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, WireError> {
        let answer: Self = serde_json::from_slice(line)?;
        match answer.rhumb {
            VERSION => Ok(answer),
            other => Err(WireError::Version(other)),
        }
    }
}

/// Some votes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) seq: u64,
    pub(super) votes: Vec<WireVote>,
}

impl Message {
    pub(super) fn read(line: &[u8]) -> Result<Self, WireError> {
        let message: Self = serde_json::from_slice(line)?;
        match message.votes.len() {
            0..=MAX_VOTES => Ok(message),
            many => Err(WireError::Votes(many)),
        }
    }
}

/// One vote.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct WireVote {
    subject: String,
    status: Word,
    settled: bool,
    age_ms: u64,
    loss: f64,
    delay_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    jitter_ms: Option<f64>,
    tries: u32,
    failure: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Up,
    Down,
    Unknown,
}

impl WireVote {
    /// `vote` on `subject`, as it is at `now` by the clock that it was cast by.
    pub(super) fn new(subject: &str, vote: &Vote, now: Duration) -> Self {
        let Vote { leaning, is_settled, measure, failure, at } = vote;
        let Measure { loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries } = *measure;
        Self {
            subject: subject.to_owned(),
            status: match leaning {
                Status::Up => Word::Up,
                Status::Down => Word::Down,
                Status::Unknown => Word::Unknown,
            },
            settled: *is_settled,
            age_ms: milliseconds(now.saturating_sub(*at)),
            loss,
            delay_ms,
            p50_ms,
            p95_ms,
            jitter_ms,
            tries,
            failure: failure.as_deref().map(str::to_owned),
        }
    }

    /// Subject and vote by the clock that says `now`.
    pub(super) fn read(self, now: Duration) -> Result<(String, Vote), WireError> {
        let Self {
            subject,
            status,
            settled,
            age_ms,
            loss,
            delay_ms,
            p50_ms,
            p95_ms,
            jitter_ms,
            tries,
            failure,
        } = self;
        if subject.len() > MAX_SUBJECT {
            return Err(WireError::Subject);
        }
        let is_delay = |delay: &Option<f64>| delay.is_none_or(|delay| (0.0..=MAX_DELAY).contains(&delay));
        if !(0.0..=1.0).contains(&loss) || ![delay_ms, p50_ms, p95_ms, jitter_ms].iter().all(is_delay) {
            return Err(WireError::Measure);
        }
        let vote = Vote {
            leaning: match status {
                Word::Up => Status::Up,
                Word::Down => Status::Down,
                Word::Unknown => Status::Unknown,
            },
            is_settled: settled,
            measure: Measure { loss, delay_ms, p50_ms, p95_ms, jitter_ms, tries },
            failure: failure.map(|text| clean(&text)),
            at: now.saturating_sub(Duration::from_millis(age_ms)),
        };
        Ok((subject, vote))
    }
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("this is no line of votes: {0}")]
    Json(#[from] serde_json::Error),
    #[error("version {0} of the protocol is not known here, only {VERSION}")]
    Version(u32),
    #[error("a site must have a name of 1 to {MAX_SITE} letters, digits, '-', '_' and '.' to vote")]
    Site,
    #[error("a prober must have a name of 1 to {MAX_PROBER} printable ASCII characters")]
    Prober,
    #[error("{0} votes in one message, at most {MAX_VOTES}")]
    Votes(usize),
    #[error("the name of a subject has more than {MAX_SUBJECT} bytes")]
    Subject,
    #[error("a loss must be 0 to 1, and a delay 0 to {MAX_DELAY} ms")]
    Measure,
}

/// Any of the above as a line.
pub(super) fn line(what: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(what).expect("plain data, and no map has keys that are not text");
    line.push(b'\n');
    line
}

/// A stranger's words, fit for a log.
pub(super) fn clean(text: &str) -> Box<str> {
    let shown = text.char_indices().take_while(|(at, one)| at + one.len_utf8() <= Failure::MAX_TEXT);
    let shown: String = shown.map(|(_, one)| if one.is_control() { ' ' } else { one }).collect();
    shown.into()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn votes_survive_and_age() {
        let measure = Measure { loss: 0.25, delay_ms: Some(1.5), tries: 60, ..Measure::default() };
        let rows = [
            (Status::Up, true, None, "up"),
            (Status::Down, false, Some("status 503"), "down, with a reason"),
            (Status::Unknown, true, None, "no opinion"),
        ];
        for (leaning, is_settled, failure, why) in rows {
            let vote = Vote {
                leaning,
                is_settled,
                measure,
                failure: failure.map(Into::into),
                at: NOW - Duration::from_millis(700),
            };
            let message = Message { seq: 7, votes: vec![WireVote::new("link:north/a", &vote, NOW)] };
            let Message { seq, mut votes } = Message::read(&line(&message)).expect(why);
            // Another clock, an hour ahead.
            let there = NOW + Duration::from_secs(3600);
            let (subject, read) = votes.remove(0).read(there).expect(why);
            let want = Vote { at: there - Duration::from_millis(700), ..vote };
            assert_eq!((seq, &*subject, read), (7, "link:north/a", want), "{why}");
        }
    }

    #[test]
    fn what_is_refused() {
        let vote = |fields: &str| {
            format!(
                r#"{{"seq":1,"votes":[{{"subject":"s","status":"up","settled":true,"age_ms":0,"tries":1,{fields}}}]}}"#
            )
        };
        let many = format!(
            r#"{{"seq":1,"votes":[{}]}}"#,
            vec![
                r#"{"subject":"s","status":"up","settled":true,"age_ms":0,"tries":1,"loss":0}"#;
                MAX_VOTES + 1
            ]
            .join(",")
        );
        let long = format!(
            r#"{{"seq":1,"votes":[{{"subject":"{}","status":"up","settled":true,"age_ms":0,"tries":1,"loss":0}}]}}"#,
            "s".repeat(MAX_SUBJECT + 1)
        );
        let rows = [
            (vote(r#""loss":0"#), "", "what may be absent is"),
            (vote(r#""loss":0,"colour":"red""#), "", "a newer prober says more"),
            (vote(r#""loss":1.5"#), "a loss must", "more than all"),
            (vote(r#""loss":-0.1"#), "a loss must", "less than nothing"),
            (vote(r#""loss":0,"p95_ms":1e300"#), "a loss must", "an endless delay"),
            (vote(r#""loss":1e999"#), "this is no line", "no number at all"),
            (many, "129 votes", "too many"),
            (long, "the name of a subject", "no name is so long"),
            ("GET / HTTP/1.1".to_owned(), "this is no line", "another protocol"),
            ("[".repeat(100_000), "this is no line", "depth is limited"),
            (r#"{"seq":-1,"votes":[]}"#.to_owned(), "this is no line", "negative"),
        ];
        for (text, want, why) in rows {
            let read = Message::read(text.as_bytes()).and_then(|message| {
                message.votes.into_iter().map(|vote| vote.read(NOW)).collect::<Result<Vec<_>, _>>()
            });
            let got = read.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(got.starts_with(want) && got.is_empty() == want.is_empty(), "{why}: {got:?}");
        }
    }

    #[test]
    fn hellos() {
        let rows = [
            (r#"{"rhumb":1,"site":"south","prober":"p","epoch":1}"#, true, "well"),
            (r#"{"rhumb":1,"site":"South_2.example","prober":"p","epoch":1}"#, true, "what a name may have"),
            (r#"{"rhumb":2,"site":"south","prober":"p","epoch":1}"#, false, "another version"),
            (r#"{"rhumb":1,"site":"","prober":"p","epoch":1}"#, false, "nobody"),
            (r#"{"rhumb":1,"site":"south","prober":"p\nq","epoch":1}"#, false, "a line in a log"),
            (r#"{"rhumb":1,"site":"so uth","prober":"p","epoch":1}"#, false, "no certificate has that name"),
        ];
        for (line, want, why) in rows {
            assert_eq!(Hello::read(line.as_bytes()).is_ok(), want, "{why}");
        }
    }

    #[test]
    fn what_strangers_say_is_cleaned() {
        let long = "é".repeat(100);
        let rows = [
            ("status 503", "status 503".to_owned(), "as it is"),
            ("a\n\u{1b}[31mb", "a  [31mb".to_owned(), "no control of a terminal"),
            (&long, "é".repeat(Failure::MAX_TEXT / 2), "cut between characters"),
        ];
        for (text, want, why) in rows {
            assert_eq!(*clean(text), want, "{why}");
        }
    }

    proptest::proptest! {
        /// Whatever a peer sends, what is taken for a vote is one.
        #[test]
        fn damaged_lines_do_no_harm(changes in proptest::collection::vec((0_usize..400, 0_u8..=255), 0..6)) {
            let measure = Measure { loss: 0.25, delay_ms: Some(1.5), tries: 60, ..Measure::default() };
            let failure = Some("status 503".into());
            let vote = Vote { leaning: Status::Down, is_settled: true, measure, failure, at: NOW };
            let mut bytes = line(&Message { seq: 7, votes: vec![WireVote::new("link:north/a", &vote, NOW)] });
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            let _ = (Hello::read(&bytes), Answer::read(&bytes));
            let votes = Message::read(&bytes).map(|message| message.votes).unwrap_or_default();
            for (_, vote) in votes.into_iter().filter_map(|vote| vote.read(NOW).ok()) {
                assert!((0.0..=1.0).contains(&vote.measure.loss), "{vote:?}");
                assert!(vote.measure.delay_ms.is_none_or(|delay| delay.is_finite() && delay >= 0.0), "{vote:?}");
                assert!(vote.at <= NOW, "no vote is of the future: {vote:?}");
            }
        }
    }
}

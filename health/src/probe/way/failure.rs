//! Failures in words, and whose they are.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

use crate::reply::{Cause, Failure, Reply};

/// A failure; the text is cut where it is too long.
pub(crate) fn new(cause: Cause, text: impl AsRef<str>) -> Failure {
    Failure { cause, text: clean(text.as_ref(), Failure::MAX_TEXT).into() }
}

/// Nothing was sent.
impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Self { outcome: Err(failure), tries: 0, lost: 0, delay: None, report: None }
    }
}

/// The target answered, and wrongly.
pub(crate) fn wrong(text: impl AsRef<str>) -> Failure {
    new(Cause::Wrong, text)
}

/// A call failed at once: this machine could not ask.
pub(crate) fn local(what: &str, error: &io::Error) -> Failure {
    new(Cause::Local, format!("{what}: {}", words(error)))
}

/// Something came back: from the target, or from `router` on the way to it.
pub(crate) fn remote(error: &io::Error, router: Option<IpAddr>) -> Failure {
    let text = words(error);
    let is_unreachable = matches!(error.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable);
    match (error.kind(), router) {
        (ErrorKind::TimedOut, _) => new(Cause::Silent, text),
        (ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe, _) => new(Cause::Wrong, "closed the connection"),
        // Said by this machine itself, or by nobody.
        (_, router) if is_unreachable && router.is_none_or(super::origin::is_own) => new(Cause::Silent, text),
        (_, Some(router)) => new(Cause::Refused, format!("{text}, says {router}")),
        (_, None) => new(Cause::Refused, text),
    }
}

/// What the system says, without its number.
fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::HostUnreachable => "host unreachable".into(),
        ErrorKind::NetworkUnreachable => "network unreachable".into(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}

/// At most `most` bytes of a stranger's text, fit to be shown: what does not
/// print is replaced.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        let c = if c.is_control() { '\u{fffd}' } else { c };
        if clean.len() + c.len_utf8() > most {
            break;
        }
        clean.push(c);
    }
    clean
}

/// The first word of an answer, if it can be one that reports something.
pub(crate) fn first_word(answer: &[u8]) -> Option<Box<str>> {
    let word = answer.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    let text = str::from_utf8(word).ok()?;
    let is_fit = text.len() <= Reply::MAX_REPORT && !text.contains(char::is_control);
    is_fit.then(|| text.into())
}

//! Tries that overlap: the next is made while those before it still wait.
//!
//! The timeout covers them all and is shared out evenly: with three tries in a
//! second, at 0, 333 and 667 ms. Every one of them may be answered until the
//! whole time is up, so that no part of it is too short for a slow target.
//!
//! Before a try counts as lost, `look` may fetch what has arrived unseen: on
//! a machine that was busy, the answer may lie in a socket while the timer
//! fires.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, timeout_at};

use super::{Way, Word, failure};
use crate::reply::{Cause, Failure, Reply};

/// What came of the tries.
pub(crate) struct Tried<T> {
    /// The first answer, or why there is none.
    pub(crate) result: Result<T, Failure>,
    /// Tries made.
    pub(crate) tries: u8,
    /// Tries before the answered one, or all.
    pub(crate) lost: u8,
    /// When the answered one was made.
    pub(crate) since: Option<Instant>,
}

impl<T> Tried<T> {
    /// Judges an answer.
    pub(crate) fn and_then<U>(self, judge: impl FnOnce(T) -> Result<U, Failure>) -> Tried<U> {
        let Self { result, tries, lost, since } = self;
        Tried { result: result.and_then(judge), tries, lost, since }
    }

    /// As a reply, with what the answer reports.
    pub(crate) fn into_reply(self, report: impl FnOnce(T) -> Word) -> Reply {
        let Self { result, tries, lost, since } = self;
        let delay = since.map(|since| since.elapsed());
        match result {
            Ok(answer) => Reply { outcome: Ok(()), tries, lost, delay, report: report(answer) },
            Err(failure) => Reply { outcome: Err(failure), tries, lost, delay, report: None },
        }
    }
}

/// A try under way.
struct Pending<F> {
    number: u8,
    since: Instant,
    attempt: Pin<Box<F>>,
}

/// Makes `attempt` up to as many times as the probe says, until one is
/// answered.
pub(crate) async fn tries<T, F>(way: &Way<'_>, attempt: impl Fn() -> F, look: impl Fn()) -> Tried<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    let start = Instant::now();
    let (most, timeout) = (way.probe.tries.max(1), way.probe.timeout);
    let mut pending: Vec<Pending<F>> = Vec::new();
    let mut silence = None;
    let mut made = 0;
    while made < most {
        pending.push(Pending { number: made, since: Instant::now(), attempt: Box::pin(attempt()) });
        made += 1;
        let until = start + timeout * u32::from(made) / u32::from(most);
        let may_end = made == most;
        let mut ended = timeout_at(until, first(&mut pending, &mut silence, may_end)).await.ok().flatten();
        if ended.is_none() {
            look();
            ended = poll_fn(|cx| Poll::Ready(now(&mut pending, &mut silence, cx))).await;
        }
        if let Some(end) = ended {
            return end.counted(made);
        }
    }
    let silence =
        silence.unwrap_or_else(|| failure::new(Cause::Silent, format!("no answer within {timeout:?}")));
    Tried { result: Err(silence), tries: made, lost: made, since: None }
}

/// How one try ended all.
struct End<T> {
    number: u8,
    since: Instant,
    result: Result<T, Failure>,
}

impl<T> End<T> {
    fn counted(self, made: u8) -> Tried<T> {
        let Self { number, since, result } = self;
        let is_local = matches!(&result, Err(Failure { cause: Cause::Local, .. }));
        if is_local {
            // It was not sent, those before it were.
            return Tried { result, tries: made - 1, lost: made - 1, since: None };
        }
        Tried { result, tries: made, lost: number, since: Some(since) }
    }
}

/// The first try that ends with an answer; none when all ended in silence, if
/// it `may_end` so.
async fn first<T, F>(
    pending: &mut Vec<Pending<F>>,
    silence: &mut Option<Failure>,
    may_end: bool,
) -> Option<End<T>>
where
    F: Future<Output = Result<T, Failure>>,
{
    poll_fn(|cx| match now(pending, silence, cx) {
        Some(end) => Poll::Ready(Some(end)),
        None if may_end && pending.is_empty() => Poll::Ready(None),
        None => Poll::Pending,
    })
    .await
}

/// As [`first`], without waiting.
fn now<T, F>(
    pending: &mut Vec<Pending<F>>,
    silence: &mut Option<Failure>,
    cx: &mut Context<'_>,
) -> Option<End<T>>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut at = 0;
    while let Some(one) = pending.get_mut(at) {
        let Poll::Ready(result) = one.attempt.as_mut().poll(cx) else {
            at += 1;
            continue;
        };
        let Pending { number, since, .. } = pending.swap_remove(at);
        match result {
            Err(failure) if failure.cause == Cause::Silent => *silence = Some(failure),
            result => return Some(End { number, since, result }),
        }
    }
    None
}

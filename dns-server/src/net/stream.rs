//! One conversation over a stream: TCP (RFC 7766) and, within TLS, the same
//! (RFC 7858).
//!
//! Queries may be pipelined. What has arrived is answered in one go and leaves
//! in one write; while answers wait for a client that does not read, nothing
//! more is read from it, so what it keeps in flight is bounded by two buffers.
//! An answer takes microseconds, so answering out of order would gain nothing.
//!
//! A message must arrive whole within a bounded time, answers must leave
//! within it too, and silence between messages is bounded: slow senders, slow
//! readers and the idle are cut off. Clients that ask are told how long they
//! may be idle (RFC 7828).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::places::Places;
use super::respondent::{Caller, Respondent};
use crate::transfer;

/// Octets asked for at a time: dozens of pipelined queries.
const READ: usize = 4096;

/// Octets of answers after which they are sent before more is answered.
const WRITE: usize = 65_536;

/// Octets of length before each message.
const PREFIX: usize = 2;

/// Converses until the client leaves, breaks a rule or is too slow.
///
/// # Errors
/// When it did not just leave; nobody needs to know how it did.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    caller: &Caller,
    (respondent, places): (&Respondent, &Places),
) -> io::Result<()> {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    // When the message that has begun must be whole.
    let mut deadline = None;
    loop {
        let idle = places.idle();
        let answered = answer_all(&input, &mut output, (caller, idle, respondent));
        if !output.is_empty() {
            timeout(places.message(), send(stream, &output)).await??;
            output = Vec::new();
        }
        let Some(used) = answered else { break };
        input.drain(..used);
        if let Some(message) = transfer_in(&input) {
            let publisher = respondent.publisher();
            let (transfers, snapshot) = (publisher.transfers(), publisher.current());
            transfer::serve(stream, (transfers, &snapshot), message, caller.source).await?;
            let served = PREFIX + message.len();
            input.drain(..served);
            deadline = None;
            continue;
        }
        if used > 0 {
            deadline = None;
            if is_whole(&input) {
                continue;
            }
        }
        let until = match deadline {
            Some(until) => until,
            None if input.is_empty() => {
                input = Vec::new();
                Instant::now() + idle
            }
            None => *deadline.insert(Instant::now() + places.message()),
        };
        input.reserve(READ);
        if timeout_at(until, stream.read_buf(&mut input)).await?? == 0 {
            break;
        }
    }
    timeout(places.message(), stream.shutdown()).await?
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, output: &[u8]) -> io::Result<()> {
    stream.write_all(output).await?;
    stream.flush().await
}

/// Answers whole messages until there is enough to send or a transfer is
/// wanted; gives the octets used up, or nothing when a message deserves no
/// answer and its sender no more attention.
fn answer_all(
    input: &[u8],
    output: &mut Vec<u8>,
    (caller, idle, respondent): (&Caller, Duration, &Respondent),
) -> Option<usize> {
    let idle = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
    let mut rest = input;
    while output.len() < WRITE
        && transfer_in(rest).is_none()
        && let Some((message, after)) = first(rest)
    {
        respondent.answer(message, (caller, Some(idle)), |reply| {
            output.extend(u16::try_from(reply.len()).unwrap_or(u16::MAX).to_be_bytes());
            output.extend(reply);
        })?;
        rest = after;
    }
    Some(input.len() - rest.len())
}

/// The first message of `input`, if it asks for a transfer.
fn transfer_in(input: &[u8]) -> Option<&[u8]> {
    first(input).map(|(message, _)| message).filter(|message| transfer::is_request(message))
}

fn is_whole(input: &[u8]) -> bool {
    first(input).is_some()
}

/// The first message of `input`, if it is whole, and what follows it.
fn first(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<PREFIX>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

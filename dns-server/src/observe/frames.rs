//! Frame Streams, the framing of dnstap.
//!
//! A stream is a START frame, data frames and a STOP frame; over a socket it
//! is preceded by READY and ACCEPT and followed by FINISH, so that both ends
//! agree on the content (farsightsec/fstrm, `fstrm/control.h`). A data frame
//! is its length in four octets, big end first, and its content; a control
//! frame has a length of zero before its own.

use std::io::{self, Read, Write};

const ACCEPT: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const READY: u32 = 4;
const FINISH: u32 = 5;

/// The field of a control frame that names the content.
const CONTENT_TYPE: u32 = 1;

/// What our frames hold.
const DNSTAP: &[u8] = b"protobuf:dnstap.Dnstap";

/// Longest control frame (`FSTRM_CONTROL_FRAME_LENGTH_MAX`).
const CONTROL_MAX: usize = 512;

/// Greets a listener, and starts if it takes dnstap.
pub(super) fn shake_hands(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.write_all(&control(READY, true))?;
    let (kind, fields) = read_control(stream)?;
    let known = kind == ACCEPT && fields.windows(DNSTAP.len()).any(|window| window == DNSTAP);
    if !known {
        return Err(io::Error::other("the listener does not take dnstap"));
    }
    start(stream)
}

/// Begins a stream.
pub(super) fn start(stream: &mut impl Write) -> io::Result<()> {
    stream.write_all(&control(START, true))
}

/// Ends a stream.
pub(super) fn stop(stream: &mut impl Write) -> io::Result<()> {
    stream.write_all(&control(STOP, false))
}

/// Ends a stream over a socket: the listener says that it has it all.
pub(super) fn part(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stop(stream)?;
    match read_control(stream)? {
        (FINISH, _) => Ok(()),
        _ => Err(io::Error::other("the listener does not finish")),
    }
}

/// Octets of a data frame before its content.
const LENGTH: usize = 4;

/// Begins a data frame: its content follows.
pub(super) fn open(frame: &mut Vec<u8>) {
    frame.extend([0; LENGTH]);
}

/// Ends a data frame that was opened at its first octet.
pub(super) fn seal(frame: &mut [u8]) {
    if let Some((length, content)) = frame.split_first_chunk_mut::<LENGTH>() {
        *length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    }
}

fn control(kind: u32, typed: bool) -> Vec<u8> {
    let mut frame = kind.to_be_bytes().to_vec();
    if typed {
        frame.extend(CONTENT_TYPE.to_be_bytes());
        frame.extend(u32::try_from(DNSTAP.len()).unwrap_or_default().to_be_bytes());
        frame.extend(DNSTAP);
    }
    let length = u32::try_from(frame.len()).unwrap_or_default();
    [&[0; 4], &length.to_be_bytes()[..], &frame].concat()
}

/// The kind and the fields of the control frame that comes next.
fn read_control(stream: &mut impl Read) -> io::Result<(u32, Vec<u8>)> {
    let mut word = || -> io::Result<u32> {
        let mut octets = [0; 4];
        stream.read_exact(&mut octets)?;
        Ok(u32::from_be_bytes(octets))
    };
    let (escape, length, kind) = (word()?, word()?, word()?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if escape != 0 || !(4..=CONTROL_MAX).contains(&length) {
        return Err(io::Error::other("not a control frame"));
    }
    let mut fields = vec![0; length - 4];
    stream.read_exact(&mut fields)?;
    Ok((kind, fields))
}

//! LOC: where a host stands (RFC 1876).
//!
//! `d [m [s]] N|S d [m [s]] E|W altitude[m] [size[m] [horizontal[m]
//! [vertical[m]]]]`; angles in thousandths of a second of arc from the equator
//! and prime meridian at 2³¹, altitude in centimetres above −100 km, sizes as
//! one digit and a power of ten in centimetres.

use super::input::Input;
use super::text::number;
use crate::lexer::ScanError;

const LENGTH: usize = 16;
const ORIGIN: u32 = 1 << 31;
/// Thousandths of a second of arc in a degree.
const DEGREE: u32 = 3_600_000;
const MAX_LATITUDE: u32 = 90 * DEGREE;
const MAX_LONGITUDE: u32 = 180 * DEGREE;
/// The reference of altitudes: 100 km below the ellipsoid, in centimetres.
const BELOW: i64 = 10_000_000;
/// Defaults of RFC 1876 §3, centimetres: a house, a town, ten metres.
const SIZES: [u64; 3] = [100, 1_000_000, 1_000];

/// Appends the fields to the end of the entry.
pub(super) fn scan(input: &mut Input<'_, '_>) -> Result<(), ScanError> {
    let latitude = angle(input, ("latitude", b"NS", MAX_LATITUDE))?;
    let longitude = angle(input, ("longitude", b"EW", MAX_LONGITUDE))?;
    let token = input.need("an altitude")?;
    let altitude = centimetres(token.text)
        .and_then(|altitude| u32::try_from(altitude + BELOW).ok())
        .ok_or_else(|| token.error("must be an altitude from -100000.00m to 42849672.95m"))?;
    let mut sizes = [0u8; 3];
    for (byte, default) in sizes.iter_mut().zip(SIZES) {
        *byte = power(match input.more()? {
            None => default,
            Some(token) => centimetres(token.text)
                .and_then(|size| u64::try_from(size).ok())
                .filter(|&size| size < 10_000_000_000)
                .ok_or_else(|| token.error("must be a size from 0.00m to 90000000.00m"))?,
        });
    }
    input.wire.push(0);
    input.wire.extend(sizes);
    for value in [latitude, longitude, altitude] {
        input.wire.extend(value.to_be_bytes());
    }
    Ok(())
}

fn angle(
    input: &mut Input<'_, '_>,
    (what, [plus, minus], most): (&str, &[u8; 2], u32),
) -> Result<u32, ScanError> {
    let mut parts = [0u32; 3];
    let mut count = 0;
    loop {
        let token = input.need(what)?;
        let sign = match token.text.as_bytes() {
            [letter] if letter.eq_ignore_ascii_case(plus) => 1,
            [letter] if letter.eq_ignore_ascii_case(minus) => -1,
            _ => {
                let (Some(part), Some(value)) = (parts.get_mut(count), angle_part(token.text, count)) else {
                    return Err(
                        token.error(format!("must be the {what}, like 51 30 12.748 {}", char::from(*plus)))
                    );
                };
                *part = value;
                count += 1;
                continue;
            }
        };
        let [degrees, minutes, thousandths] = parts;
        let angle = degrees * DEGREE + minutes * 60_000 + thousandths;
        return match (count, angle <= most, sign) {
            (0, ..) => Err(token.error(format!("degrees of the {what} must come first"))),
            (_, false, _) => Err(token.error(format!("the {what} must be at most {}°", most / DEGREE))),
            (_, _, 1) => Ok(ORIGIN + angle),
            _ => Ok(ORIGIN - angle),
        };
    }
}

/// Degrees, minutes or thousandths of a second.
fn angle_part(text: &str, which: usize) -> Option<u32> {
    match which {
        0 => number(text).filter(|&degrees| degrees <= 180),
        1 => number(text).filter(|&minutes| minutes < 60),
        _ => decimal(text, 3).and_then(|value| u32::try_from(value).ok()).filter(|&value| value < 60_000),
    }
}

/// `-12.34m` in centimetres.
fn centimetres(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['m', 'M']).unwrap_or(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    Some(sign * i64::try_from(decimal(digits, 2)?).ok()?)
}

/// `12.3` with at most `places` decimals, as a whole number of the last place.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || fraction.len() > places || !digits(whole) || !digits(fraction)
    {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// A size as its first digit and a power of ten, rounded down.
fn power(mut size: u64) -> u8 {
    let mut exponent = 0;
    while size >= 10 {
        size /= 10;
        exponent += 1;
    }
    u8::try_from(size << 4).unwrap_or(0x90) | exponent
}

/// Whether the bytes are a location of version 0.
pub(super) fn valid(wire: &[u8]) -> bool {
    // Zero has one form, so that text and bytes stay one to one.
    let digits = |&byte: &u8| byte == 0 || (1..=9).contains(&(byte >> 4)) && byte & 15 <= 9;
    wire.len() == LENGTH
        && wire[0] == 0
        && wire[1..4].iter().all(digits)
        && word(wire, 4).abs_diff(ORIGIN) <= MAX_LATITUDE
        && word(wire, 8).abs_diff(ORIGIN) <= MAX_LONGITUDE
}

/// Appends a valid location.
pub(super) fn display(out: &mut String, wire: &[u8]) {
    for (value, [plus, minus]) in [(word(wire, 4), ["N", "S"]), (word(wire, 8), ["E", "W"])] {
        let angle = value.abs_diff(ORIGIN);
        let (degrees, minutes) = (angle / DEGREE, angle % DEGREE / 60_000);
        let (seconds, thousandths) = (angle % 60_000 / 1_000, angle % 1_000);
        let letter = if value >= ORIGIN { plus } else { minus };
        out.push_str(&format!("{degrees} {minutes} {seconds}.{thousandths:03} {letter} "));
    }
    let altitude = i64::from(word(wire, 12)) - BELOW;
    let sign = if altitude < 0 { "-" } else { "" };
    let altitude = altitude.unsigned_abs();
    out.push_str(&format!("{sign}{}.{:02}m", altitude / 100, altitude % 100));
    for byte in &wire[1..4] {
        let size = u64::from(byte >> 4) * 10u64.pow(u32::from(byte & 15));
        out.push_str(&format!(" {}.{:02}m", size / 100, size % 100));
    }
}

fn word(wire: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([wire[at], wire[at + 1], wire[at + 2], wire[at + 3]])
}

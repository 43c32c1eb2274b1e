//! For how long a reply holds, as HTTP caches must know it.

use super::HEADER;
use super::reader::Reader;

const SOA: u16 = 6;

/// Octets of the smallest SOA rdata after its names, and of its last field.
const MINIMUM: usize = 4;

/// Seconds for which a reply may be kept (RFC 8484 §5.1): the smallest TTL of
/// its answers; without any, what the SOA in its authority section allows
/// (RFC 2308 §5); else 0.
#[must_use]
pub fn lifetime(reply: &[u8]) -> u32 {
    read(reply).unwrap_or(0)
}

fn read(reply: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(reply);
    let [_, _, questions, answers, authorities, _] = reader.words()?;
    debug_assert_eq!(reader.position(), HEADER);
    for _ in 0..questions {
        reader.skip_name()?;
        reader.take(4)?;
    }
    let mut least = None;
    for _ in 0..answers {
        let (_, ttl, _) = record(&mut reader)?;
        least = Some(least.map_or(ttl, |least: u32| least.min(ttl)));
    }
    for _ in 0..authorities {
        if least.is_some() {
            break;
        }
        if let (SOA, ttl, rdata) = record(&mut reader)? {
            let minimum = rdata.last_chunk::<MINIMUM>()?;
            least = Some(ttl.min(u32::from_be_bytes(*minimum)));
        }
    }
    least
}

/// Type, TTL and rdata of the next record.
fn record<'r>(reader: &mut Reader<'r>) -> Option<(u16, u32, &'r [u8])> {
    reader.skip_name()?;
    let [rtype, _class, high, low, length] = reader.words()?;
    let rdata = reader.take(usize::from(length))?;
    Some((rtype, u32::from(high) << 16 | u32::from(low), rdata))
}

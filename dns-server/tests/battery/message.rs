//! Queries to octets and replies back, by code that is not the server's:
//! queries are put together here, replies are read by hickory-proto.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record};
use rhumb_zones::{Name, Rtype};

/// The octets of `NAME TYPE [+option…]`, as the battery's rows write it.
pub(crate) fn query(text: &str) -> Vec<u8> {
    let mut words = text.split_whitespace();
    let name = Name::scan_absolute(words.next().unwrap()).unwrap();
    let rtype: Rtype = words.next().unwrap().parse().unwrap();
    let (mut class, mut flags, mut edns) = (1u16, 0x0100u16, Some(Vec::new()));
    let (mut size, mut dnssec) = (1232u16, 0u16);
    for option in words {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        match key {
            "+chaos" => class = 3,
            "+norec" => flags = 0,
            "+cd" => flags |= 0x0010,
            "+noedns" => edns = None,
            "+dnssec" => dnssec = 0x8000,
            "+bufsize" => size = value.parse().unwrap(),
            "+nsid" => edns.as_mut().unwrap().extend([0, 3, 0, 0]),
            "+keepalive" => edns.as_mut().unwrap().extend([0, 11, 0, 0]),
            "+padding" => edns.as_mut().unwrap().extend([0, 12, 0, 4, 0, 0, 0, 0]),
            "+subnet" => edns.as_mut().unwrap().extend(subnet(value)),
            _ => panic!("unknown option {option}"),
        }
    }
    let mut out = Vec::new();
    for word in [0x2a17, flags, 1, 0, 0, u16::from(edns.is_some())] {
        out.extend(word.to_be_bytes());
    }
    out.extend(name.as_wire());
    out.extend(rtype.0.to_be_bytes());
    out.extend(class.to_be_bytes());
    if let Some(options) = edns {
        out.extend([0, 0, 41]);
        out.extend(size.to_be_bytes());
        out.extend([0, 0]);
        out.extend(dnssec.to_be_bytes());
        out.extend(u16::try_from(options.len()).unwrap().to_be_bytes());
        out.extend(options);
    }
    out
}

/// A Client Subnet option for `ADDRESS/LENGTH`.
fn subnet(text: &str) -> Vec<u8> {
    let prefix: rhumb_zones::Prefix = text.parse().unwrap();
    let (family, octets) = match prefix.address() {
        std::net::IpAddr::V4(v4) => (1u16, v4.octets().to_vec()),
        std::net::IpAddr::V6(v6) => (2u16, v6.octets().to_vec()),
    };
    let octets = &octets[..usize::from(prefix.length()).div_ceil(8)];
    let mut out = vec![0, 8];
    out.extend(u16::try_from(4 + octets.len()).unwrap().to_be_bytes());
    out.extend(family.to_be_bytes());
    out.extend([prefix.length(), 0]);
    out.extend(octets);
    out
}

/// A reply, read.
pub(crate) struct Reply {
    message: Message,
    raw: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(raw: &[u8]) -> Self {
        let message =
            Message::from_vec(raw).unwrap_or_else(|error| panic!("unreadable reply: {error}: {raw:02x?}"));
        Self { message, raw: raw.to_vec() }
    }

    /// `NOERROR aa tc rd cd`, as far as set.
    pub(crate) fn status(&self) -> String {
        let bits = u16::from_be_bytes([self.raw[2], self.raw[3]]);
        let rcode = match self.message.response_code {
            ResponseCode::NoError => "NOERROR",
            ResponseCode::FormErr => "FORMERR",
            ResponseCode::ServFail => "SERVFAIL",
            ResponseCode::NXDomain => "NXDOMAIN",
            ResponseCode::NotImp => "NOTIMP",
            ResponseCode::Refused => "REFUSED",
            ResponseCode::YXDomain => "YXDOMAIN",
            ResponseCode::NotAuth => "NOTAUTH",
            ResponseCode::BADVERS | ResponseCode::BADSIG => "BADVERS",
            other => panic!("unexpected rcode {other}"),
        };
        let mut status = rcode.to_owned();
        for (bit, name) in
            [(0x0400, " aa"), (0x0200, " tc"), (0x0100, " rd"), (0x0080, " ra"), (0x0010, " cd")]
        {
            if bits & bit != 0 {
                status.push_str(name);
            }
        }
        status
    }

    /// `SECTION OWNER TTL TYPE RDATA` of every record but the OPT.
    pub(crate) fn records(&self) -> Vec<String> {
        let Message { answers, authorities, additionals, .. } = &self.message;
        let sections = [("answer", answers), ("authority", authorities), ("additional", additionals)];
        sections
            .into_iter()
            .flat_map(|(section, records)| records.iter().map(move |record| line(section, record)))
            .collect()
    }

    /// The value of an option of the reply's OPT.
    pub(crate) fn option(&self, code: u16) -> Option<Vec<u8>> {
        let edns = self.message.edns.as_ref()?;
        Vec::try_from(edns.option(code.into())?).ok()
    }

    /// Version, flags and size of the OPT record, or `none`.
    pub(crate) fn edns(&self) -> String {
        let Some(edns) = &self.message.edns else { return "none".to_owned() };
        let flags = u16::from(edns.flags().dnssec_ok) << 15 | edns.flags().z;
        format!("{} {flags:04x} {}", edns.version(), edns.max_payload())
    }

    /// SCOPE PREFIX-LENGTH, if the reply has a Client Subnet.
    pub(crate) fn scope(&self) -> Option<u8> {
        self.option(8).map(|octets| octets[3])
    }
}

fn line(section: &str, record: &Record) -> String {
    let owner = record.name.to_ascii();
    let rtype = Rtype(record.record_type().into());
    let data = match &record.data {
        RData::Unknown { rdata, .. } => rhumb_zones::rdata::display(rtype, &rdata.anything),
        known => known.to_string(),
    };
    let data = steady(rtype, data);
    format!("{section} {} {} {rtype} {data}", owner.trim_end_matches('.'), record.ttl)
}

/// Without what differs from key to key and from second to second.
fn steady(rtype: Rtype, data: String) -> String {
    let fields: Vec<&str> = data.split(' ').collect();
    match rtype {
        Rtype::DNSKEY | Rtype::CDNSKEY => fields[..3].join(" "),
        Rtype::CDS => fields[1..3].join(" "),
        // Type, algorithm, labels, TTL, signer.
        Rtype::RRSIG => [&fields[..4], &fields[7..8]].concat().join(" "),
        _ => data,
    }
}

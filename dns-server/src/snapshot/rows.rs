//! Wire rows of every service's VIPs, made before anybody asks.
//!
//! A steered answer is a copy: address records of a VIP stand here whole,
//! owner pointer and all, with a TTL to be patched; HTTPS and SRV data stand
//! as rdata. None of it depends on clients or health.

use std::net::IpAddr;

use rhumb_policies::LeftOut;
use rhumb_zones::{LastResort, Model, Name, Rtype, RuleAction, Service, Vip};

/// Octets of an A row: owner pointer, type, class, TTL, length, address.
pub(crate) const A_ROW: usize = 16;
/// Octets of an AAAA row.
pub(crate) const AAAA_ROW: usize = 28;
/// Octets of a row before its address.
pub(crate) const ROW_HEAD: usize = 12;

/// Rows of one VIP.
#[derive(Clone, Debug)]
pub(crate) struct VipRows {
    pub(crate) addresses: Addresses,
    /// The alias answered instead of addresses.
    pub(crate) alias: Option<Name>,
    pub(crate) https: Option<Box<[u8]>>,
    /// The same without hints, for while an address is left out: clients then
    /// ask for addresses (RFC 9460 §7.3), and are told the right ones.
    pub(crate) https_bare: Option<Box<[u8]>>,
    pub(crate) srv: Option<Box<[u8]>>,
}

/// Address rows by family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) a: Box<[u8]>,
    pub(crate) aaaa: Box<[u8]>,
}

/// What one service can answer.
#[derive(Clone, Debug)]
pub(crate) struct ServiceRows {
    /// By slot.
    pub(crate) vips: Box<[VipRows]>,
    /// `last-resort: [addresses]`.
    pub(crate) fallback: Addresses,
    /// What rules answer instead, by the rule's index.
    answers: Box<[(usize, Addresses)]>,
    /// Types that some VIP has: a lack elsewhere depends on the client.
    pub(crate) any: Types,
}

/// Which types a service has at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Types {
    pub(crate) a: bool,
    pub(crate) aaaa: bool,
    pub(crate) https: bool,
    pub(crate) srv: bool,
    pub(crate) alias: bool,
}

impl ServiceRows {
    /// Rows of `service`.
    pub(super) fn new(model: &Model, service: &Service) -> Self {
        let vips: Box<[VipRows]> =
            service.vips.iter().map(|&id| VipRows::new(service, model.vip(id))).collect();
        let some = |has: fn(&VipRows) -> bool| vips.iter().any(has);
        let any = Types {
            a: some(|vip| !vip.addresses.a.is_empty()),
            aaaa: some(|vip| !vip.addresses.aaaa.is_empty()),
            https: some(|vip| vip.https.is_some()),
            srv: some(|vip| vip.srv.is_some()),
            alias: some(|vip| vip.alias.is_some()),
        };
        let fallback = match &service.last_resort {
            LastResort::Addresses(addresses) => Addresses::new(addresses),
            _ => Addresses::default(),
        };
        let answers = model.rules().iter().enumerate().filter_map(|(index, rule)| {
            let answer = rule.apply.iter().find_map(|action| match action {
                RuleAction::Answer(addresses) => Some(Addresses::new(addresses)),
                _ => None,
            });
            Some((index, answer?))
        });
        Self { vips, fallback, answers: answers.collect(), any }
    }

    /// What the rule of this index answers, if it answers at all.
    pub(crate) fn answer(&self, rule: usize) -> Option<&Addresses> {
        self.answers.iter().find(|(index, _)| *index == rule).map(|(_, addresses)| addresses)
    }
}

impl VipRows {
    fn new(service: &Service, vip: &Vip) -> Self {
        Self {
            addresses: Addresses::new(&vip.addresses),
            alias: vip.alias.clone().filter(|_| vip.addresses.is_empty()),
            https: https(vip, &vip.addresses),
            https_bare: https(vip, &[]),
            srv: srv(service, vip),
        }
    }
}

impl Addresses {
    fn new(addresses: &[IpAddr]) -> Self {
        let (mut a, mut aaaa) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(v4) => {
                    a.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                    a.extend_from_slice(&v4.octets());
                }
                IpAddr::V6(v6) => {
                    aaaa.extend_from_slice(&[0xc0, 0x0c, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16]);
                    aaaa.extend_from_slice(&v6.octets());
                }
            }
        }
        Self { a: a.into(), aaaa: aaaa.into() }
    }

    /// Rows of this type, their octets, and which of them to leave out.
    pub(crate) fn rows(&self, rtype: Rtype, left_out: LeftOut) -> (&[u8], usize, u64) {
        match rtype {
            Rtype::A => (&self.a, A_ROW, left_out.v4),
            Rtype::AAAA => (&self.aaaa, AAAA_ROW, left_out.v6),
            _ => (&[], A_ROW, 0),
        }
    }

    /// Whether there are any of v4 and of v6.
    pub(crate) fn families(&self) -> (bool, bool) {
        (!self.a.is_empty(), !self.aaaa.is_empty())
    }
}

/// HTTPS rdata with these hints (RFC 9460 §2.2, §7), for a VIP that says which
/// protocols it speaks or that it listens on another port.
fn https(vip: &Vip, hinted: &[IpAddr]) -> Option<Box<[u8]>> {
    if vip.addresses.is_empty() || (vip.alpn.is_empty() && vip.port.is_none_or(|port| port == 443)) {
        return None;
    }
    let mut rdata = vec![0, 1, 0];
    let mut parameter = |key: u16, value: &[u8]| {
        if !value.is_empty() {
            rdata.extend_from_slice(&key.to_be_bytes());
            rdata
                .extend_from_slice(&u16::try_from(value.len()).expect("bounded by the policy").to_be_bytes());
            rdata.extend_from_slice(value);
        }
    };
    let mut alpn = Vec::new();
    for protocol in &vip.alpn {
        alpn.push(u8::try_from(protocol.len()).expect("bounded by the policy"));
        alpn.extend_from_slice(protocol.as_bytes());
    }
    parameter(1, &alpn);
    parameter(3, &vip.port.map_or_else(Vec::new, |port| port.to_be_bytes().to_vec()));
    let hints = |wanted: fn(&IpAddr) -> bool| -> Vec<u8> {
        hinted
            .iter()
            .filter(|address| wanted(address))
            .flat_map(|address| match address {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            })
            .collect()
    };
    parameter(4, &hints(IpAddr::is_ipv4));
    parameter(6, &hints(IpAddr::is_ipv6));
    Some(rdata.into())
}

/// SRV rdata (RFC 2782) of a VIP with a port: its `name`, else the service's
/// own name without its leading `_service._proto` labels.
fn srv(service: &Service, vip: &Vip) -> Option<Box<[u8]>> {
    let port = vip.port?;
    let target = vip.alias.clone().or_else(|| {
        let mut name = service.owner.clone();
        while name.labels().next()?.starts_with(b"_") {
            name = name.parent()?;
        }
        Some(name)
    })?;
    let weight = u16::try_from(vip.weight).unwrap_or(u16::MAX);
    let mut rdata = Vec::with_capacity(6 + target.as_wire().len());
    for word in [0, weight, port] {
        rdata.extend_from_slice(&word.to_be_bytes());
    }
    rdata.extend_from_slice(target.as_wire());
    Some(rdata.into())
}

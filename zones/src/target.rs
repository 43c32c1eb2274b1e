//! Names of targets: one spelling in YAML, CLI, API, metrics and alarms.
//!
//! `datacenter:north  link:north/telecom  balancer:north/lb1  intranet:north
//! interconnect:north/south  service:www  node:www/10.1.1.21:8080
//! vip:www/north/telecom` — `vip:www/north` where the datacenter declares no
//! links. The ends of an interconnect stand in alphabetical order. A bare
//! `north` is accepted where only a datacenter fits: that is for the reader
//! of such a place to allow, not for this type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What can be up or down, by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TargetName {
    /// `datacenter:north`
    Datacenter(Arc<str>),
    /// `link:north/telecom`
    Link(Arc<str>, Arc<str>),
    /// `balancer:north/lb1`
    Balancer(Arc<str>, Arc<str>),
    /// `intranet:north`
    Intranet(Arc<str>),
    /// `interconnect:north/south`, alphabetical
    Interconnect(Arc<str>, Arc<str>),
    /// `service:www`; the full name where two zones have a `www`
    Service(Arc<str>),
    /// `node:www/10.1.1.21:8080`
    Node(Arc<str>, Arc<str>),
    /// `vip:www/north/telecom` or `vip:www/north`
    Vip(Arc<str>, Arc<str>, Option<Arc<str>>),
}

impl TargetName {
    /// An interconnect between two datacenters in either order.
    #[must_use]
    pub fn interconnect(a: &Arc<str>, b: &Arc<str>) -> Self {
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        Self::Interconnect(Arc::clone(first), Arc::clone(second))
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datacenter(dc) => write!(f, "datacenter:{dc}"),
            Self::Link(dc, link) => write!(f, "link:{dc}/{link}"),
            Self::Balancer(dc, balancer) => write!(f, "balancer:{dc}/{balancer}"),
            Self::Intranet(dc) => write!(f, "intranet:{dc}"),
            Self::Interconnect(a, b) => write!(f, "interconnect:{a}/{b}"),
            Self::Service(service) => write!(f, "service:{service}"),
            Self::Node(service, address) => write!(f, "node:{service}/{address}"),
            Self::Vip(service, dc, None) => write!(f, "vip:{service}/{dc}"),
            Self::Vip(service, dc, Some(link)) => write!(f, "vip:{service}/{dc}/{link}"),
        }
    }
}

impl FromStr for TargetName {
    type Err = TargetNameError;

    fn from_str(text: &str) -> Result<Self, TargetNameError> {
        let (kind, rest) = text.split_once(':').ok_or(TargetNameError::Kind)?;
        let parts: Vec<Arc<str>> = rest.split('/').map(Arc::from).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(TargetNameError::Parts);
        }
        match (kind, &parts[..]) {
            ("datacenter", [dc]) => Ok(Self::Datacenter(dc.clone())),
            ("link", [dc, link]) => Ok(Self::Link(dc.clone(), link.clone())),
            ("balancer", [dc, balancer]) => Ok(Self::Balancer(dc.clone(), balancer.clone())),
            ("intranet", [dc]) => Ok(Self::Intranet(dc.clone())),
            ("interconnect", [a, b]) => Ok(Self::interconnect(a, b)),
            ("service", [service]) => Ok(Self::Service(service.clone())),
            ("node", [service, address]) => Ok(Self::Node(service.clone(), address.clone())),
            ("vip", [service, dc]) => Ok(Self::Vip(service.clone(), dc.clone(), None)),
            ("vip", [service, dc, link]) => Ok(Self::Vip(service.clone(), dc.clone(), Some(link.clone()))),
            (
                "datacenter" | "link" | "balancer" | "intranet" | "interconnect" | "service" | "node" | "vip",
                _,
            ) => Err(TargetNameError::Parts),
            _ => Err(TargetNameError::Kind),
        }
    }
}

/// Why a text names no target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetNameError {
    /// The part before `:` is no kind of target.
    #[error("must start with datacenter: link: balancer: intranet: interconnect: service: node: or vip:")]
    Kind,
    /// The parts after `:` are not those of its kind.
    #[error(
        "must be like datacenter:north link:north/telecom balancer:north/lb1 intranet:north interconnect:north/south service:www node:www/10.1.1.21:8080 vip:www/north/telecom"
    )]
    Parts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_names() {
        let rows = [
            ("datacenter:north", Some("datacenter:north"), "datacenter"),
            ("interconnect:south/north", Some("interconnect:north/south"), "ends are put in order"),
            ("node:www/10.1.1.21:8080", Some("node:www/10.1.1.21:8080"), "a colon in the address"),
            ("node:www/[2001:db8::1]:80", Some("node:www/[2001:db8::1]:80"), "a v6 node"),
            ("vip:www/north", Some("vip:www/north"), "no declared links"),
            ("vip:www/north/telecom", Some("vip:www/north/telecom"), "by link"),
            ("link:north", None, "a link needs its datacenter"),
            ("north", None, "a bare name is the reader's to allow"),
            ("vip:www//telecom", None, "an empty part"),
        ];
        for (text, want, why) in rows {
            let got = text.parse::<TargetName>().ok().map(|name| name.to_string());
            assert_eq!(got.as_deref(), want, "{text}: {why}");
        }
    }
}

//! The policy of a world, written for its server.
//!
//! Everything of [`topology`](crate::topology) is declared and probed over
//! the legs that see it: links from the Internet through the leg of their
//! carrier, private parts through the management leg of their datacenter.

use std::fmt::Write as _;

use crate::topology::{BALANCERS, CARRIERS, Datacenter, FABRIC_PORT, NODES, SERVER, WEB_PORT, service_port};

/// A service of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Its name below the zone.
    pub(crate) name: &'static str,
    /// Its primary's datacenter, for a service whose every page needs the
    /// writable store.
    pub(crate) primary: Option<&'static str>,
    /// Whether its VIPs are probed, through balancers and nodes, like a user.
    pub(crate) is_checked: bool,
    /// `link-selection:`, in YAML.
    pub(crate) selection: &'static str,
    /// The datacenter that all its VIPs are in, unless it has some everywhere.
    pub(crate) only: Option<&'static str>,
}

/// Reads anywhere, judged by the path rule alone.
pub(crate) const ANY: Service =
    Service { name: "any", primary: None, is_checked: false, selection: "carrier", only: None };
/// Writes to the north.
pub(crate) const PRIMARY: Service = Service { name: "pri", primary: Some("north"), ..ANY };
/// Reads anywhere, checked from outside as well.
pub(crate) const WEB: Service = Service { name: "web", is_checked: true, ..ANY };

/// Who probes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Eyes {
    /// The server alone, through legs everywhere.
    Server,
    /// The server and others from outside, and probers inside every datacenter.
    Probers,
    /// The server from outside, and probers in the first datacenter, which
    /// look into the others over the interconnect.
    Across,
}

/// What a world's policy says.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The datacenters, in order.
    pub(crate) datacenters: &'static [Datacenter],
    /// The services, in order.
    pub(crate) services: Vec<Service>,
    /// `defaults:`, in YAML.
    pub(crate) defaults: &'static str,
    /// The interconnects' hold.
    pub(crate) hold: &'static str,
    /// Who probes.
    pub(crate) eyes: Eyes,
    /// `rules:`, in YAML.
    pub(crate) rules: &'static str,
    /// What its link model is trained with, if it has one.
    pub(crate) samples: Option<fn() -> String>,
}

/// What operators think of links to each carrier: worth less than a carrier's
/// own link to the formula, and more to the lab's model.
const QUALITY: [u8; 2] = [50, 90];

/// Fast enough for dozens of faults in minutes, slow enough for a busy
/// machine: three failures in a row are close to a second of silence.
pub(crate) const BRISK: &str =
    "{ ttl: 2s, ttl-floor: 1s, interval: 300ms, timeout: 300ms, fall: 3, rise: 3, hold-down: 1s }";
/// Slower still, for loss: a late answer must not look like a lost one.
pub(crate) const PATIENT: &str = "{ ttl: 2s, ttl-floor: 1s, interval: 500ms, timeout: 500ms, hold-down: 1s }";
/// What the policy says when it says nothing, but for the TTL: nobody in the
/// lab waits for half a minute.
pub(crate) const DEFAULT: &str = "{ ttl: 5s }";
/// The tuned figures of the documentation.
pub(crate) const TUNED: &str = "{ ttl: 2s, ttl-floor: 1s, interval: 200ms, timeout: 200ms }";

/// Keeps off the south's `unicom` while it is slow.
pub(crate) const OFF_THE_SLOW: &str = r#"rules:
  - name: off-the-slow
    when: link("south", "unicom").delay_ms > 60.0
    apply: { avoid: [link:south/unicom] }
"#;

impl Policy {
    /// As YAML.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "zone: gslb.example.com\n\
             nameservers: [{{ name: ns1.gslb.example.com, address: {SERVER} }}]\n\
             defaults: {}\n\
             carriers: {{ telecom: {{ asns: [64500] }}, unicom: {{ asns: [64501] }} }}\n\
             datacenters:\n",
            self.defaults
        );
        for &datacenter in self.datacenters {
            self.datacenter(&mut text, datacenter);
        }
        text += "interconnects:\n";
        for (index, &a) in self.datacenters.iter().enumerate() {
            for &b in &self.datacenters[index + 1..] {
                let far = match self.eyes {
                    Eyes::Server => b.border(),
                    Eyes::Probers | Eyes::Across => a.far_end(b),
                };
                let probe = format!("ping: {far}{}", self.private(a));
                let _ = writeln!(
                    text,
                    "  - {{ between: [{}, {}], hold: {}, probe: {{ {probe} }} }}",
                    a.name, b.name, self.hold
                );
            }
        }
        text += "clients:\n";
        for datacenter in self.datacenters {
            let Datacenter { name, at, carrier, .. } = datacenter;
            let prefix = datacenter.client_prefix();
            let _ = writeln!(text, "  near-{name}: {{ prefixes: [{prefix}], at: {at}, carrier: {carrier} }}");
        }
        text += "services:\n";
        for (index, service) in self.services.iter().enumerate() {
            self.service(&mut text, (index, service));
        }
        text += self.rules;
        text
    }

    /// The sites whose probers run, and the space of each.
    pub(crate) fn sites(&self) -> Vec<(&'static str, String)> {
        let inside = |datacenter: &Datacenter| (datacenter.name, datacenter.space("mon"));
        match self.eyes {
            Eyes::Server => Vec::new(),
            Eyes::Probers => {
                let all = self.datacenters.iter().map(inside);
                all.chain([("vantage", "vantage".to_owned())]).collect()
            }
            Eyes::Across => self.datacenters.iter().take(1).map(inside).collect(),
        }
    }

    /// The keys of a probe of private parts: where it leaves from.
    fn private(&self, datacenter: Datacenter) -> String {
        match self.eyes {
            Eyes::Server => {
                format!(", interface: mgmt-{}, source: {}", datacenter.name, datacenter.management())
            }
            Eyes::Probers => ", interface: core".to_owned(),
            Eyes::Across => format!(", interface: core, from: [{}]", self.datacenters[0].name),
        }
    }

    fn datacenter(&self, text: &mut String, datacenter: Datacenter) {
        let private = self.private(datacenter);
        let _ = writeln!(text, "  {}:\n    at: {}\n    links:", datacenter.name, datacenter.at);
        for (link, carrier) in CARRIERS.iter().enumerate() {
            let source = match self.eyes {
                Eyes::Server => format!(", source: 198.18.0.{}", 11 * (link + 1)),
                Eyes::Probers | Eyes::Across => String::new(),
            };
            let probe = format!("ping: {}, interface: {carrier}{source}", datacenter.link_end(link));
            let quality = QUALITY[link];
            let _ = writeln!(
                text,
                "      {carrier}: {{ carrier: {carrier}, quality: {quality}, probe: {{ {probe} }} }}"
            );
        }
        text.push_str("    balancers:\n");
        for (index, name) in BALANCERS.iter().enumerate() {
            let probe = format!("tcp: {}{private}", service_port(0));
            let address = datacenter.balancer(index);
            let _ = writeln!(text, "      {name}: {{ address: {address}, probe: {{ {probe} }} }}");
        }
        let fabric = datacenter.fabric();
        let _ = writeln!(text, "    intranet: {{ probe: {{ tcp: \"{fabric}:{FABRIC_PORT}\"{private} }} }}");
    }

    fn service(&self, text: &mut String, (index, service): (usize, &Service)) {
        let Service { name, primary, is_checked, selection, only } = service;
        let has_vips = |datacenter: &&Datacenter| only.is_none_or(|only| only == datacenter.name);
        let _ = writeln!(text, "  {name}:\n    link-selection: {selection}");
        if let Some(primary) = primary {
            let _ = writeln!(text, "    primary: {primary}\n    data: primary");
        }
        if *is_checked {
            let _ =
                writeln!(text, "    check: {{ http: /, port: {WEB_PORT}, host: {name}.gslb.example.com }}");
        }
        text.push_str("    vips:\n");
        for datacenter in self.datacenters.iter().filter(has_vips) {
            let vips: Vec<String> = (0..CARRIERS.len())
                .map(|link| format!("{}: {}", CARRIERS[link], datacenter.vip(link, index)))
                .collect();
            let _ = writeln!(text, "      {}: {{ {} }}", datacenter.name, vips.join(", "));
        }
        text.push_str("    nodes:\n");
        let port = service_port(index);
        for &datacenter in self.datacenters {
            let probe = format!("tcp: {port}{}", self.private(datacenter));
            let nodes: Vec<String> = (0..NODES.len())
                .map(|node| {
                    format!("{{ address: \"{}:{port}\", probe: {{ {probe} }} }}", datacenter.node(node))
                })
                .collect();
            let _ = writeln!(text, "      {}: [{}]", datacenter.name, nodes.join(", "));
        }
    }
}

//! Record data as clients print it: every record of the zones with many types
//! goes from its file over the wire through `dig` and `kdig` and back through
//! our scanner, and must still be the same data.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

use rhumb_zones::{Name, NameRef, Rtype, rdata};

use crate::support::programs::{Rhumb, fresh_directory, missing, testdata};
use crate::{servers, zones};

/// Zones whose records are printed.
const ZONES: [&str; 4] = ["types.test", "unknown.test", "txt.test", "key.test"];

/// What a client prints of a name's records of one type.
fn printed(client: &str, server: SocketAddr, (name, rtype): (NameRef<'_>, Rtype)) -> Vec<Vec<u8>> {
    let mut command = Command::new(client);
    command.arg(format!("@{}", server.ip())).args(["-p", &server.port().to_string()]);
    command.args(["+noall", "+answer", "+tcp", "-q", &format!("{name}."), "-t", &format!("TYPE{}", rtype.0)]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with(';') && !line.is_empty());
    lines.map(|line| scanned(line, rtype)).collect()
}

/// The data of `OWNER TTL CLASS TYPE DATA`.
fn scanned(line: &str, rtype: Rtype) -> Vec<u8> {
    let mut rest = line;
    for _ in 0..4 {
        rest = rest.trim_start().split_once(char::is_whitespace).map_or("", |(_, tail)| tail);
    }
    rdata::scan(rtype, rest.trim(), &Name::root()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn every_type_comes_back_from_dig_and_kdig() {
    if missing(&["dig", "kdig"]) {
        return;
    }
    let mut zones = zones::read(&testdata().join("conformance/zones"));
    zones.retain(|zone| ZONES.contains(&zone.data.apex.to_string().as_str()));
    let directory = fresh_directory("conformance-text");
    let rhumb: Rhumb = servers::rhumb(&directory, &zones, "");
    let mut types = BTreeSet::new();
    for zone in &zones {
        for rrset in zone.data.records.slice().rrsets() {
            let (owner, rtype) = (rrset.first().owner, rrset.first().rtype);
            // The serial is the server's, and cuts are not answered.
            if rtype == Rtype::SOA || (rtype == Rtype::NS && owner != zone.data.apex) {
                continue;
            }
            let want: BTreeSet<Vec<u8>> =
                rrset.iter().map(|record| rdata::canonical(rtype, record.rdata).into_owned()).collect();
            for client in ["dig", "kdig"] {
                let got = printed(client, rhumb.listening[0], (owner, rtype));
                let got: BTreeSet<Vec<u8>> =
                    got.iter().map(|data| rdata::canonical(rtype, data).into_owned()).collect();
                assert_eq!(got, want, "{client}: {owner} {rtype}");
            }
            types.insert(rtype);
        }
    }
    assert!(types.len() >= 45, "{} types", types.len());
}

//! What policies mean: rows of a policy, a question to its model, the answer.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::sync::Arc;

use proptest::prelude::*;
use rhumb_zones::{Files, LoadOptions, Loaded, Model, Quorum, ReadError, Rtype, Source, load, rdata};

/// Two files: a zone and a list of prefixes.
struct Memory;

impl Files for Memory {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let content = match path {
            "gslb.example.com.zone" => include_str!("../../testdata/policies/gslb.example.com.zone"),
            "prefixes.txt" => "192.0.2.0/24 # one\n\n198.51.100.7\n192.0.2.0/24\n",
            _ => return Err(ReadError("is not there".into())),
        };
        Ok((path.to_owned(), content.into()))
    }
}

fn load_bytes(bytes: &[u8]) -> Loaded {
    let options = LoadOptions { server_addresses: vec!["203.0.113.1".parse().unwrap()] };
    load(&[Source { path: Arc::from("f"), bytes: bytes.to_vec() }], &Memory, &options)
}

fn model(policy: &str) -> Model {
    let loaded = load_bytes(policy.as_bytes());
    assert!(!loaded.diagnostics.refuse(), "{}", loaded.diagnostics);
    loaded.model
}

fn design() -> Model {
    model(include_str!("../../testdata/policies/design-full.yaml"))
}

/// A question, its answer, why.
type Row = (fn(&Model) -> String, &'static str, &'static str);

fn check(rows: &[Row], model: &Model) {
    for (ask, want, why) in rows {
        assert_eq!(ask(model), *want, "{why}");
    }
}

#[test]
fn everything_that_can_be_up_or_down_is_a_target() {
    let names: Vec<String> = design().targets().iter().map(|target| target.name.to_string()).collect();
    let want = [
        "datacenter:north",
        "intranet:north",
        "link:north/telecom",
        "link:north/unicom",
        "balancer:north/lb1",
        "balancer:north/lb2",
        "datacenter:south",
        "intranet:south",
        "link:south/telecom",
        "link:south/unicom",
        "interconnect:north/south",
        "service:www",
        "vip:www/north/telecom",
        "vip:www/north/unicom",
        "vip:www/south/telecom",
        "vip:www/south/unicom",
        "node:www/10.1.1.21:8080",
        "node:www/10.1.1.22:8080",
        "node:www/10.2.1.21:8080",
    ];
    assert_eq!(names, want);
    let model = design();
    for target in model.targets() {
        let id = model.target_named(&target.name).unwrap();
        assert_eq!(model.target(id).name, target.name, "by name and by id");
    }
}

#[test]
fn the_design_means_what_it_says() {
    let model = design();
    check(
        &[
            (|m| format!("{:?}", m.services()[0].ttl), "20s", "the service's own TTL"),
            (|m| format!("{:?}", m.services()[0].ttl_floor), "5s", "the built-in floor"),
            (
                |m| format!("{:?}", m.services()[0].primary.as_ref().map(|p| p.initially.index())),
                "Some(0)",
                "north",
            ),
            (|m| m.services()[0].owner.to_string(), "www.gslb.example.com", "below the zone"),
            (|m| format!("{:?}", m.vips()[0].addresses), "[203.0.113.10, 2001:db8::10]", "both families"),
            (
                |m| format!("{:?}", m.links().iter().map(|l| l.quality).collect::<Vec<_>>()),
                "[80, 60, 50, 50]",
                "quality is 50 when not said",
            ),
            (
                |m| {
                    let carriers = m.links()[0].carriers.iter().map(|&id| m.carrier(id).name.to_string());
                    carriers.collect::<Vec<_>>().join(" ")
                },
                "chinanet AS4809",
                "a built-in carrier and a number",
            ),
            (|m| format!("{:?}", m.clients()[0].prefer), "[(LinkId(0), 2.0)]", "north/telecom"),
            (|m| format!("{:?}", m.clients()[1].order), "[DatacenterId(1), DatacenterId(0)]", "south first"),
            (|m| format!("{:?}", m.rules()[0].apply), "[Avoid([TargetId(2)])]", "link:north/telecom"),
            (|m| format!("{:?}", m.interconnects()[0].hold), "10s", "hold"),
            (|m| m.zones()[0].soa_from_file.to_string(), "true", "the file gives one"),
        ],
        &model,
    );
    let shared: Vec<_> =
        model.vips().iter().map(|vip| model.target(vip.target).probe.as_ref().unwrap()).collect();
    assert!(
        shared.iter().all(|probe| Arc::ptr_eq(probe, &model.checks()[0].probe)),
        "VIPs share a named check"
    );
}

#[test]
fn probes_take_their_own_keys_then_defaults_then_the_built_in_ones() {
    let world = |defaults: &str, own: &str| {
        format!("defaults: {{ {defaults} }}\nchecks: {{ c: {{ tcp: 1, {own} }} }}")
    };
    let rows = [
        ("", "", "2s 500ms 1s 3 3 5 0.05 Majority 6s", "the built-in ones"),
        (
            "",
            "interval: 200ms",
            "200ms 200ms 200ms 3 3 5 0.05 Majority 600ms",
            "others follow a short interval",
        ),
        ("interval: 4s", "", "4s 500ms 1s 3 3 5 0.05 Majority 12s", "a default"),
        (
            "interval: 4s, rise: 2",
            "interval: 1s, fall: 1",
            "1s 500ms 1s 3 1 2 0.05 Majority 3s",
            "nearest word wins",
        ),
        ("quorum: 2 of 3", "jitter: 10%", "2s 500ms 1s 3 3 5 0.1 KOfN { k: 2, n: 3 } 6s", "other types"),
        ("", "stale: 1m, tries: 1", "2s 500ms 1s 1 3 5 0.05 Majority 60s", "tuned"),
    ];
    for (defaults, own, want, why) in rows {
        let model = model(&world(defaults, own));
        let p = &model.checks()[0].probe;
        let times = format!("{:?} {:?} {:?}", p.interval, p.fast_interval, p.timeout);
        let got =
            format!("{times} {} {} {} {} {:?} {:?}", p.tries, p.fall, p.rise, p.jitter, p.quorum, p.stale);
        assert_eq!(got, want, "{why}");
    }
    assert_eq!(model(&world("", "quorum: 18%")).checks()[0].probe.quorum, Quorum::Fraction(0.18));
}

#[test]
fn target_keys_come_from_the_vip_its_service_and_defaults() {
    let model = model(
        "zone: example.com
defaults: { hold-down: 1m, assume: down }
datacenters: { a: {}, b: { recovery: manual }, c: {} }
services:
  www:
    hold-down: 2m
    vips: { a: 192.0.2.1, b: { address: 192.0.2.2, hold-down: 3m }, c: { address: 192.0.2.3, assume: up } }
",
    );
    let rows = [
        ("vip:www/a", "120s Down Auto", "its service's"),
        ("vip:www/b", "180s Down Auto", "its own; the datacenter's recovery is the datacenter's"),
        ("vip:www/c", "120s Up Auto", "its own and its service's"),
        ("service:www", "120s Down Auto", "the service as a target"),
        ("datacenter:b", "60s Down Manual", "defaults and its own"),
    ];
    for (name, want, why) in rows {
        let target = model.target(model.target_named(&name.parse().unwrap()).unwrap());
        let got = format!("{:?} {:?} {:?}", target.hold_down, target.assume, target.recovery);
        assert_eq!(got, want, "{name}: {why}");
    }
}

#[test]
fn a_service_is_named_by_its_key_while_that_is_unique() {
    let zone = |zone: &str, key: &str| {
        format!("zone: {zone}\nservices: {{ {key}: {{ vips: {{ n: 192.0.2.1 }} }} }}\n")
    };
    let rows = [
        (zone("a.example", "www"), zone("b.example", "api"), "www api", "unique"),
        (zone("a.example", "www"), zone("b.example", "www"), "www.a.example www.b.example", "used twice"),
        (zone("a.example", "'@'"), zone("b.example", "'*'"), "@ *", "apex and wildcard"),
        (zone("a.example", "x.a.example."), zone("b.example", "x.y"), "x.a.example. x.y", "absolute, deep"),
    ];
    for (one, other, want, why) in rows {
        let model = model(&format!("datacenters: {{ n: }}\n---\n{one}---\n{other}"));
        let names: Vec<&str> = model.services().iter().map(|service| &*service.name).collect();
        assert_eq!(names.join(" "), want, "{why}");
    }
}

#[test]
fn zones_without_a_file_have_soa_and_name_servers() {
    let records = |policy: &str| {
        let model = model(policy);
        let show = |record: rhumb_zones::RecordRef<'_>| {
            format!("{} {} {}", record.owner, record.rtype, rdata::display(record.rtype, record.rdata))
        };
        model.zones()[0].records.records.iter().map(show).collect::<Vec<_>>().join("\n")
    };
    let own = "example.com NS ns1.example.com.
example.com SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
ns1.example.com A 203.0.113.1";
    assert_eq!(records("zone: example.com"), own, "ns1 at the server's own address");
    let declared = "example.com NS ns.example.com.
example.com NS ns.example.net.
example.com SOA ns.example.com. hostmaster.example.com. 1 7200 1800 1209600 60
ns.example.com AAAA 2001:db8::53";
    let policy = "zone: example.com
nameservers: [{ name: ns.example.com, address: '2001:db8::53' }, { name: ns.example.net, address: 192.0.2.53 }]";
    assert_eq!(records(policy), declared, "declared; glue only inside the zone");
    let design = design();
    let soa = design.zones()[0].records.records.iter().find(|record| record.rtype == Rtype::SOA).unwrap();
    assert!(rdata::display(soa.rtype, soa.rdata).contains("2026112201"), "the file's own");
}

#[test]
fn carriers_are_built_in_declared_or_numbers() {
    let model = model(
        "carriers: { own: { asns: [AS64500, 64501], prefixes: [192.0.2.0/24], file: prefixes.txt }, cmcc: { asns: 1 } }
datacenters: { n: { links: { l: { carrier: [own, AS64500, as64500, unicom, cmcc, unicom] } } } }",
    );
    let show = |carrier: &rhumb_zones::Carrier| {
        format!("{} {} {:?} {:?}", carrier.name, carrier.builtin, carrier.asns, carrier.prefixes)
    };
    let rows = [
        ("unicom", "unicom true [] []", "built in"),
        ("cmcc", "cmcc false [1] []", "declared in place of the built-in one"),
        ("AS64500", "AS64500 false [64500] []", "a number alone"),
    ];
    for (name, want, why) in rows {
        assert_eq!(show(model.carrier(model.carrier_named(name).unwrap())), want, "{why}");
    }
    let own = model.carrier(model.carrier_named("own").unwrap());
    assert_eq!((own.asns.len(), own.prefixes.len()), (2, 2), "a prefix given twice counts once");
    assert_eq!(model.links()[0].carriers.len(), 4, "references count once");
}

#[test]
fn lists_have_limits() {
    let many = |count: usize, entry: fn(usize) -> String| (0..count).map(entry).collect::<String>();
    let vips = |count| {
        let (datacenters, vips) = (
            many(count, |n| format!("d{n}: , ")),
            many(count, |n| format!("d{n}: 10.0.{}.{}, ", n / 256, n % 256)),
        );
        format!(
            "zone: example.com\ndatacenters: {{ {datacenters} }}\nservices: {{ www: {{ vips: {{ {vips} }} }} }}"
        )
    };
    let balancers = |count| {
        format!("datacenters: {{ n: {{ balancers: {{ {} }} }} }}", many(count, |n| format!("b{n}: , ")))
    };
    let links =
        |count| format!("datacenters: {{ n: {{ links: {{ {} }} }} }}", many(count, |n| format!("l{n}: , ")));
    let rows = [
        (vips(256), None, "as many VIPs as a mask holds"),
        (vips(257), Some("service www: vips: must be at most 256"), "one more"),
        (
            balancers(65_536),
            Some("policy: balancers: must be at most 65535 in all"),
            "more than an id counts",
        ),
        (links(257), Some("datacenter n: links: must be at most 256"), "more than a service can use"),
    ];
    for (policy, want, why) in rows {
        let out = load_bytes(policy.as_bytes()).diagnostics.to_string();
        assert_eq!(out.trim().split_once(' ').map(|(_, what)| what), want, "{why}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = load_bytes(&bytes);
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in r"([a-z@*]{1,4}|[\[\]{}:,&*!|>'%#?\-\n ]|: |\n  |- |<<: ){0,120}") {
        let _ = load_bytes(text.as_bytes());
    }

    /// A slip of the hand in the design's example: bytes cut, put in or moved.
    #[test]
    fn mutated_policies_never_panic(
        from in 0usize..3_200,
        length in 0usize..40,
        to in 0usize..3_200,
        put in r"[ -~\n]{0,6}",
    ) {
        let mut text = include_str!("../../testdata/policies/design-full.yaml").as_bytes().to_vec();
        let from = from.min(text.len());
        let cut: Vec<u8> = text.drain(from..(from + length).min(text.len())).collect();
        let to = to.min(text.len());
        text.splice(to..to, cut.into_iter().chain(put.into_bytes()));
        let loaded = load_bytes(&text);
        let _ = loaded.diagnostics.to_string();
    }
}

//! What probes of every kind may be told, and what is said when it is wrong.

use std::sync::Arc;

use rhumb_health::probe;
use rhumb_zones::serde_json::Value as Json;
use rhumb_zones::{Diagnostics, Files, LoadOptions, Loaded, ReadError, Reader, Source, load};

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        Err(ReadError(format!("{path} is not there")))
    }
}

fn world(policy: &str) -> Loaded {
    let sources = [Source { path: Arc::from("f"), bytes: policy.as_bytes().to_vec() }];
    load(&sources, &NoFiles, &LoadOptions::default())
}

/// The description of a probe, or what is wrong with it, a line each.
fn told(text: &str) -> Result<String, String> {
    let mut loaded = world(&format!("checks: {{ c: {text} }}"));
    let mut out = std::mem::take(&mut loaded.diagnostics);
    let check = loaded.model.checks().first();
    let kind = check.and_then(|check| probe::read(&check.probe, &mut Reader::new(&mut out, "c")));
    if out.is_empty() {
        Ok(kind.map(|kind| kind.describe()).unwrap_or_default())
    } else {
        Err(out.to_string())
    }
}

fn check(rows: &[(&str, Result<&str, &str>, &str)]) {
    for (text, want, why) in rows {
        match (told(text), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, *want, "{text}: {why}"),
            (Err(got), Err(want)) => assert!(got.contains(want), "{text}: {why}: {got}"),
            (got, _) => panic!("{text}: {why}: {got:?}"),
        }
    }
}

#[test]
fn kinds() {
    check(&[
        ("{ ping: 203.0.113.1 }", Ok("ICMP echo to 203.0.113.1"), "an address"),
        ("{ ping: }", Ok("ICMP echo to the target"), "the target's own"),
        ("{ ping: example.com }", Err("ping: must be an IPv4 or IPv6 address, not example.com"), "no names"),
        ("{ tcp: 443 }", Ok("TCP connect to port 443"), "a port"),
        ("{ tcp: 10.1.1.1:22 }", Ok("TCP connect to 10.1.1.1:22"), "an address and port"),
        ("{ tcp: '[2001:db8::1]:22' }", Ok("TCP connect to [2001:db8::1]:22"), "IPv6"),
        ("{ tcp: 0 }", Err("tcp: must be a port"), "no port"),
        (
            "{ tls: 443, name: www.example.com, expires: 14d }",
            Ok("TLS handshake with port 443 as www.example.com"),
            "all of TLS",
        ),
        (
            "{ dns: example.com, type: MX, answer: 10 mail.example.com, tcp: true }",
            Ok("DNS query for example.com MX"),
            "an answer in zone form",
        ),
        ("{ dns: example.com, answer: mail }", Err("answer: "), "no address"),
        ("{ dns: example.com, rcode: nxdomian }", Err("did you mean \"nxdomain\"?"), "a word"),
        (
            "{ udp: 5060, send: 'OPTIONS', expect: SIP }",
            Ok("UDP datagram of 7 bytes to port 5060"),
            "send, expect",
        ),
        ("{ grpc: 50051, service: shop }", Ok("gRPC health of shop at port 50051"), "a service"),
        ("{ grpc: 50051 }", Ok("gRPC health of the server at port 50051"), "the whole server"),
        (
            "{ exec: [/usr/lib/probe, -x], env: { A: b }, exit: [0, 1] }",
            Ok("command /usr/lib/probe -x"),
            "arguments",
        ),
        ("{ exec: probe }", Err("exec: must start with the absolute path"), "no search path"),
        ("{ exec: /probe, env: { 'a=b': c } }", Err("env: must be the name of a variable"), "environment"),
        ("{ file: /run/state }", Ok("file /run/state"), "a file"),
        ("{ tpc: 443 }", Err("\"tpc\" is not known here\n    hint: did you mean \"tcp\"?"), "a slip"),
        ("{ tcp: 443, prot: 1 }", Err("prot: is not a key"), "an unknown key of a kind"),
        ("{ tcp: 443, intervall: 1s }", Err("did you mean \"interval\"?"), "a slip in a common key"),
    ]);
}

#[test]
fn http() {
    check(&[
        ("{ http: /healthz, port: 443, tls: true }", Ok("HTTPS GET /healthz on port 443"), "the design's"),
        ("{ http: / }", Ok("HTTP GET / on port 80"), "the least"),
        (
            "{ port: 8080, http: /x, tls: true }",
            Ok("HTTPS GET /x on port 8080"),
            "tools that sort keys may put others in front; tls is no kind here",
        ),
        ("https://www.example.com/healthz", Ok("HTTPS GET /healthz on port 443 as www.example.com"), "a URL"),
        ("'http://[2001:db8::1]:8080?x'", Ok("HTTP GET /?x on port 8080 as [2001:db8::1]"), "IPv6, no path"),
        (
            "{ http: 'http://a/b', method: HEAD, host: x }",
            Err("host: must not be given: the URL says it"),
            "twice",
        ),
        ("'https://a b/'", Err("must be a path such as /healthz, or a URL"), "a space"),
        ("'https://a:0/'", Err("must be a path"), "port 0"),
        ("'https://u@a/'", Err("must be a path"), "no user in it"),
        ("ftp://a/", Err("must be a URL that starts with http:// or https://"), "another scheme"),
        ("{ http: /, status: [200, 3xx, 400-404] }", Ok("HTTP GET / on port 80"), "statuses"),
        ("{ http: /, status: 99 }", Err("must be a status from 100 to 599"), "below"),
        ("{ http: /, status: 300-200 }", Err("must be a status"), "backwards"),
        ("{ http: /, status: 999xx }", Err("must be a status"), "overflow"),
        (
            "{ http: /, method: get }",
            Err("method: must be GET, HEAD, POST or OPTIONS, not get"),
            "case counts",
        ),
        ("{ http: /, regex: 'a(' }", Err("regex: must be a regular expression"), "an open group"),
        ("{ http: /, version: 2 }", Ok("HTTP GET / on port 80"), "HTTP/2"),
        ("{ http: /, version: 3 }", Err("version: must be 1.1 or 2"), "not spoken"),
        ("{ http: /, headers: { 'a b': c } }", Err("headers: must be the name of a header field"), "a space"),
        (
            r#"{ http: /, headers: { a: "b\r\nc: d" } }"#,
            Err("headers.a: must be one line of text"),
            "injection",
        ),
    ]);
}

#[test]
fn targets_without_an_address_need_one() {
    let loaded = world(
        "zone: example.com
checks: { web: { tcp: 443 }, unused: { nope: 1 } }
datacenters:
  north:
    links: { telecom: { probe: web } }
    balancers: { lb1: { probe: web }, lb2: { address: 10.0.0.1, probe: web } }
    intranet: { probe: { file: /run/state } }
  south: {}
services:
  a: { check: web, primary: { initially: south, probe: { tcp: 1 } }, vips: { south: 192.0.2.1 } }
  b: { check: web, vips: { south: { name: cdn.example.net } } }
",
    );
    let mut out = Diagnostics::default();
    probe::validate(&loaded.model, &mut out);
    let got: Vec<String> = out.iter().map(ToString::to_string).collect();
    let want = [
        "f:2:40: check unused: declaration: \"nope\" is not known here\n    \
         hint: there are ping, tcp, tls, http, dns, udp, grpc, exec, file",
        "f:5:14: link north/telecom: probe: must say which address to probe",
        "f:6:18: balancer north/lb1: probe: must say which address to probe",
        "f:11:28: vip b/south: check: must say which address to probe",
        "f:10:56: service a: primary.probe: must say which address to probe",
        "f:10:56: service a: primary.probe: must be one that reports a datacenter: exec, file, http, udp, or dns of type TXT",
    ];
    assert_eq!(got, want);
}

#[test]
fn sources_are_of_the_family_of_what_they_probe() {
    let loaded = world(
        "zone: example.com
checks: { web: { tcp: 443, source: 192.0.2.9 } }
datacenters:
  south: { balancers: { lb1: { address: 'fd00::1', probe: web }, lb2: { address: 10.0.0.1, probe: web } } }
services:
  a: { check: web, vips: { south: [192.0.2.1, '2001:db8::1'] } }
  b: { check: { ping: '2001:db8::2', source: 192.0.2.9 }, vips: { south: 192.0.2.2 } }
",
    );
    let mut out = Diagnostics::default();
    probe::validate(&loaded.model, &mut out);
    let got: Vec<String> = out.iter().map(ToString::to_string).collect();
    let want = [
        "f:4:25: balancer south/lb1: probe.source: must be of the family of fd00::1",
        "f:6:28: vip a/south: check.source: must be of the family of 2001:db8::1",
    ];
    assert_eq!(got, want);
}

#[test]
fn every_kind_has_a_schema_with_its_own_key() {
    let schema = probe::schema();
    let kinds = schema.as_array().expect("a list");
    assert_eq!(kinds.len(), probe::KINDS.len());
    for (kind, entry) in kinds.iter().zip(probe::KINDS) {
        assert!(kind["properties"][entry.name]["description"].is_string(), "{}: described", entry.name);
        assert_eq!(kind["additionalProperties"], Json::Bool(false), "{}: closed", entry.name);
        assert_eq!(kind["required"][0], entry.name, "{}: its own key must be given", entry.name);
    }
}

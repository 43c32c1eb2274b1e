//! What commands print, and how they end.

use crate::run::{Scratch, Server, text};

const POLICY: &str = "\
zone: example.com
nameservers: [{ name: ns1.example.com, address: 192.0.2.53 }]
datacenters: { fra: { at: [50.1, 8.7] }, iad: { at: [38.9, -77.0] } }
services: { www: { vips: { fra: 192.0.2.10, iad: 198.51.100.10 } } }
";

/// Arguments, exit code, parts of standard output and of standard error, why.
type Row<'r> = (&'r [&'r str], i32, &'r [&'r str], &'r [&'r str], &'r str);

fn check(scratch: &Scratch, rows: &[Row<'_>]) {
    for (arguments, code, out, error, why) in rows {
        let output = scratch.run(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {why}\n{stdout}{stderr}");
        for (stream, parts) in [(&stdout, out), (&stderr, error)] {
            for part in *parts {
                assert!(stream.contains(part), "{arguments:?}: {why}: no {part:?} in\n{stream}");
            }
            assert!(!parts.is_empty() || stream.is_empty(), "{arguments:?}: {why}: says\n{stream}");
        }
    }
}

fn good_and_bad(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.write("good.yaml", POLICY);
    scratch.write("bad.yaml", &POLICY.replace("vips", "vipz").replace("50.1", "150.1"));
    scratch
}

#[test]
fn usage() {
    let scratch = good_and_bad("usage");
    check(
        &scratch,
        &[
            (&["--version"], 0, &["rhumb 0."], &[], "the version"),
            (&["--help"], 0, &["Exit codes:", "demo", "Examples:"], &[], "help"),
            (&[], 2, &[], &["Usage: rhumb"], "no command"),
            (&["check"], 2, &[], &["<PATH>"], "nothing to check"),
            (&["status", "--admin", "gone.sock"], 2, &[], &["no server listens on gone.sock"], "no server"),
            (&["schema"], 0, &["\"services\"", "\"nearest\"", "\"ping\""], &[], "the schema of policies"),
            (&["schema", "tests"], 0, &["\"expect\""], &[], "the schema of tests"),
            (&["schema", "config"], 0, &["\"listen\""], &[], "the schema of the configuration"),
        ],
    );
}

#[test]
fn checking() {
    let scratch = good_and_bad("checking");
    scratch.write("many/one.yaml", POLICY);
    scratch.write("many/two.yml", "");
    scratch.write("many/note.txt", "no policy");
    scratch.write("many/.hidden.yaml", "no: policy");
    scratch.write("empty/note.txt", "");
    scratch.write("nothing.yaml", "datacenters: { dc: { at: [1, 2] } }");
    std::fs::write(scratch.path("utf8.yaml"), b"zone: \xff\n").unwrap();
    std::fs::File::create(scratch.path("huge.yaml")).unwrap().set_len(100 << 20).unwrap();
    check(
        &scratch,
        &[
            (
                &["check", "huge.yaml"],
                1,
                &[],
                &["huge.yaml: rhumb: file: cannot be read: is larger than 16 MB"],
                "100 MB",
            ),
            (
                &["check", "/dev/zero"],
                1,
                &[],
                &["/dev/zero: rhumb: file: cannot be read: is no regular file"],
                "no end",
            ),
            (&["check", "good.yaml"], 0, &["ok: 1 zone, 1 service, 2 datacenters"], &[], "a good policy"),
            (&["check", "many"], 0, &["ok: 1 zone"], &[], "a directory, without hidden and other files"),
            (
                &["check", "bad.yaml"],
                1,
                &[],
                &[
                    "bad.yaml:3:27: datacenter fra: at:",
                    "bad.yaml:4:20: service www: vipz:",
                    "did you mean \"vips\"?",
                ],
                "all mistakes at once",
            ),
            (&["check", "bad.yaml", "--json"], 1, &["\"ok\": false", "\"line\": 3", "\"hint\""], &[], "JSON"),
            (&["check", "good.yaml", "--json"], 0, &["\"ok\": true", "\"services\": 1"], &[], "JSON"),
            (&["check", "utf8.yaml"], 1, &[], &["utf8.yaml:1:7:"], "not UTF-8"),
            (
                &["check", "nothing.yaml"],
                1,
                &[],
                &["nothing.yaml: rhumb: file: must declare a zone"],
                "no zone",
            ),
            (&["check", "gone.yaml"], 1, &[], &["gone.yaml: rhumb: file: cannot be read"], "a missing file"),
            (&["check", "empty"], 1, &[], &["empty: rhumb: file: must hold a *.yaml"], "an empty directory"),
            (
                &["check", "good.yaml", "--geo", "good.yaml", "--geo", "gone.mmdb"],
                1,
                &[],
                &["good.yaml: rhumb: file:", "gone.mmdb: rhumb: file: cannot be read"],
                "databases are checked too, all of them",
            ),
        ],
    );
}

#[test]
fn serving() {
    let scratch = good_and_bad("serving");
    scratch.write("config.yaml", "policies: good.yaml\nlisten: nowhere\n");
    check(
        &scratch,
        &[
            (&["serve"], 2, &[], &["no policy given"], "nothing to serve"),
            (&["serve", "bad.yaml", "--admin", "x.sock"], 1, &[], &["bad.yaml:4:20:"], "a bad policy"),
            (
                &["serve", "--config", "config.yaml"],
                2,
                &[],
                &["config.yaml:2:9: configuration: listen"],
                "a bad configuration",
            ),
            (
                &["serve", "good.yaml", "--listen", "192.0.2.1:0", "--admin", "x.sock"],
                2,
                &[],
                &["192.0.2.1:0"],
                "an address that is not ours is named",
            ),
        ],
    );
}

#[test]
fn explaining() {
    let scratch = good_and_bad("explaining");
    check(
        &scratch,
        &[
            (
                &["explain", "www", "--policy", "good.yaml", "--client", "192.0.2.1"],
                0,
                &["www.example.com A for a client in 192.0.2.1/32", "NOERROR", "192.0.2.10"],
                &[],
                "offline",
            ),
            (
                &["explain", "ns1", "A", "--policy", "good.yaml", "--json"],
                0,
                &["\"decision\": null", "192.0.2.53"],
                &[],
                "a static name",
            ),
            (&["explain", "www", "--policy", "bad.yaml"], 1, &[], &["bad.yaml:4:20:"], "of a bad policy"),
            (&["explain", "..", "--policy", "good.yaml"], 2, &[], &[".."], "no name"),
            (&["explain", "www", "XYZ", "--policy", "good.yaml"], 2, &[], &["XYZ"], "no type"),
            (&["explain", "www", "--client", "nobody"], 2, &[], &["nobody"], "no address"),
        ],
    );
}

#[test]
fn a_running_server_explains_and_keeps_its_socket() {
    let scratch = Scratch::new("running");
    scratch.write("policy.yaml", POLICY);
    let server = Server::start(&scratch, &["policy.yaml"]);
    let live = server.tell(&["explain", "www", "A", "--client", "192.0.2.1"]);
    let offline = scratch.run(&["explain", "www", "A", "--client", "192.0.2.1", "--policy", "policy.yaml"]);
    assert_eq!(text(&live.stdout), text(&offline.stdout), "live and offline agree");
    let unknown = server.tell(&["explain", "www", "A", "--client", "x", "--json"]);
    assert_eq!(unknown.status.code(), Some(2));
    let second = server.tell(&["serve", "policy.yaml", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("another server is running"), "{}", text(&second.stderr));
    let status = text(&server.tell(&["status"]).stdout);
    for part in ["generation 1", "listening on 127.0.0.1:", "zone example.com: serial ", "policy as on disk"]
    {
        assert!(status.contains(part), "no {part:?} in {status}");
    }
}

//! Signed zones: keys made, rolled, imported, and what is answered meanwhile.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::run::{Scratch, Server, testdata, text, wait_until};

/// How long two rollovers of seconds may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A zone in which nothing is cached for longer than a second.
const CHILD: &str = "$TTL 1\n@ SOA ns1 hostmaster 1 1h 1h 1w 1\n@ NS ns1\nns1 A 127.0.0.1\nwww A 192.0.2.1\n";

/// `rhumb keys …`, for what it prints.
fn told(scratch: &Scratch, action: &[&str], code: i32) -> String {
    let output = scratch.run(&[&["keys", "--keys", "state/keys"], action].concat());
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{action:?}: {said}");
    said
}

/// What a program of BIND's prints; nothing where it is not installed.
fn bind(program: &str, arguments: &str) -> Option<String> {
    let output = Command::new(program).args(arguments.split_whitespace()).output().ok()?;
    Some(text(&output.stdout) + &text(&output.stderr))
}

fn key_files(scratch: &Scratch) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(scratch.path("state/keys/example.test")).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()).collect()
}

/// A port that is free now.
fn port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn keys_roll_while_a_validator_looks() {
    if bind("delv", "-v").is_none() || bind("dig", "-v").is_none() {
        assert!(std::env::var_os("RHUMB_NO_SKIP").is_none(), "needs delv and dig");
        println!("SKIPPED: keys_roll_while_a_validator_looks: needs delv and dig");
        return;
    }
    let scratch = Scratch::new("roll");
    let (port, start) = (port(), Instant::now());
    let parent = |ds: &str| {
        format!(
            "$TTL 1\n@ SOA ns1 h 1 1h 1h 1w 1\n@ NS ns1\nns1 A 127.0.0.1\nexample NS ns1.example\nns1.example A 127.0.0.1\n{ds}"
        )
    };
    scratch.write("test.zone", &parent(""));
    scratch.write("example.zone", CHILD);
    scratch.write(
        "policy.yaml",
        &format!(
            "zone: test\nrecords: test.zone\ndnssec: {{ dnskey-ttl: 1s }}\n---\n\
             zone: example.test\nrecords: example.zone\ndnssec: {{ keys: split, dnskey-ttl: 1s, propagation: 1s,\n  \
             zsk-lifetime: 4s, ksk-lifetime: 6s, parent-ttl: 1s, parent-delay: 1s, parent: '127.0.0.1:{port}' }}\n"
        ),
    );
    let listen = format!("127.0.0.1:{port}");
    let server = Server::start(&scratch, &["policy.yaml", "--state", "state", "--listen", &listen]);
    let dig =
        |question: &str| bind("dig", &format!("@127.0.0.1 -p {port} +short +norec {question}")).unwrap();
    assert_eq!(dig("example.test DNSKEY").lines().count(), 2, "made before the first answer");
    let anchor: String = dig("test DNSKEY").trim().replacen("257 3 13 ", "257 3 13 \"", 1);
    scratch.write("anchors", &format!("trust-anchors {{ test. static-key {anchor}\"; }};\n"));
    let delv = format!(
        "@127.0.0.1 -p {port} -a {} +root=test www.example.test A",
        scratch.path("anchors").display()
    );

    let (mut published, mut validated) = (String::new(), 0);
    let (mut zsk, mut ksk) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    while zsk.len() < 4 || ksk.len() < 3 {
        assert!(start.elapsed() < PATIENCE, "{zsk:?} {ksk:?} {}", scratch.read("server.log"));
        let cds = dig("example.test CDS");
        if !cds.is_empty() && cds != published {
            // What a registry does that follows RFC 7344.
            let ds: String = cds.lines().map(|data| format!("example DS {data}\n")).collect();
            scratch.write("test.zone", &parent(&ds));
            published = cds;
        }
        for line in told(
            &scratch,
            &["status", "example.test", "--policy", &scratch.path("policy.yaml").display().to_string()],
            0,
        )
        .lines()
        {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [tag, "zsk", ..] if line.contains("at work") => _ = zsk.insert(tag.to_owned()),
                [tag, "ksk", ..] if line.contains("DS in the parent since") => _ = ksk.insert(tag.to_owned()),
                _ => {}
            }
        }
        let answer = bind("delv", &delv).unwrap();
        let insecure = published.is_empty() || answer.contains("unsigned answer");
        assert!(insecure && validated == 0 || answer.contains("; fully validated"), "{answer}");
        validated += usize::from(!insecure);
    }
    assert!(validated > 20, "{validated} answers validated");
    drop(server);
}

#[test]
fn commands() {
    let scratch = Scratch::new("keys");
    scratch.write("example.zone", CHILD);
    scratch.write("policy.yaml", "zone: example.test\nrecords: example.zone\ndnssec: { manual: true }\n");
    let refused = scratch.run(&["serve", "policy.yaml", "--listen", "127.0.0.1:0", "--admin", "a.sock"]);
    assert!(text(&refused.stderr).contains("must have a place for its keys"), "{}", text(&refused.stderr));
    let refused = scratch.run(&[
        "serve",
        "policy.yaml",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "a.sock",
        "--state",
        "state",
    ]);
    assert!(text(&refused.stderr).contains("rhumb keys create example.test"), "{}", text(&refused.stderr));

    told(&scratch, &["list", "example.test"], 1);
    let stem = told(&scratch, &["create", "example.test"], 0);
    let tag = stem.trim().rsplit('+').next().unwrap().trim_start_matches('0').to_owned();
    let modes =
        key_files(&scratch).into_iter().filter(|path| path.extension().is_some_and(|e| e == "private"));
    assert!(
        modes.into_iter().all(|path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600)
    );
    let server = Server::start(&scratch, &["policy.yaml", "--state", "state"]);
    assert!(told(&scratch, &["list", "example.test"], 0).contains("csk  ecdsa-p256"));
    assert!(told(&scratch, &["ds", "example.test"], 0).contains(&format!("example.test. IN DS {tag} 13 2 ")));
    assert!(told(&scratch, &["retire", "example.test", &tag], 2).contains("the last of its role"));
    assert!(told(&scratch, &["ds-seen", "example.test"], 0).contains(stem.trim()));
    assert!(told(&scratch, &["status", "example.test"], 0).contains("DS in the parent since"));

    let generation = server.status()["generation"].as_u64().unwrap();
    told(&scratch, &["create", "example.test", "--zsk", "--algorithm", "ed25519"], 0);
    wait_until("a key that is added is served", || {
        server.status()["generation"].as_u64().unwrap() > generation
    });
    let foreign = testdata("keys/example.com/Kexample.com.+015+54793.key");
    assert!(told(&scratch, &["import", "example.test", &foreign], 2).contains("is a key of example.com"));
    told(&scratch, &["import", "example.com", &foreign], 0);
    std::fs::create_dir(scratch.path("copies")).unwrap();
    let copies = scratch.path("copies").display().to_string();
    told(&scratch, &["export", "example.com", &copies], 0);
    let copy = scratch.path("copies/Kexample.com.+015+54793.private");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    told(&scratch, &["import", "example.com", &copy.display().to_string()], 0);

    let key =
        key_files(&scratch).into_iter().find(|path| path.extension().is_some_and(|e| e == "key")).unwrap();
    std::fs::rename(&key, key.with_file_name("Kexample.test.+013+00000.key")).unwrap();
    let told = server.tell(&["reload"]);
    assert!(!told.status.success(), "what is refused leaves the good keys in place");
    assert!(text(&told.stderr).contains("cannot be read") || text(&told.stderr).contains("must be called"));
}

#[test]
fn hostile_files_are_named_and_refused() {
    let scratch = Scratch::new("hostile");
    let stem = "Kexample.com.+015+54793";
    let read =
        |extension: &str| std::fs::read(testdata(&format!("keys/example.com/{stem}.{extension}"))).unwrap();
    let (key, private) = (read("key"), read("private"));
    /// A file's stem and content, its private half, what is said, why.
    type Row<'r> = (&'r str, &'r [u8], Option<&'r [u8]>, &'r str, &'r str);
    let rows: [Row<'_>; 8] = [
        (stem, &key, Some(&private), "", "a good one"),
        (stem, b"", Some(&private), "must hold one DNSKEY record", "empty"),
        (stem, &key, None, ".private: zone example.com: key: cannot be read", "half of it"),
        (stem, &key, Some(b"Private-key-format: v9"), "Private-key-format", "a format of the future"),
        (stem, &[b'A'; 1 << 20], Some(&private), "at most 16 KB", "too large"),
        (stem, b"\xff\xfe", Some(&private), "must be text", "no text"),
        ("Kexample.com.+015+00001", &key, Some(&private), "must be called", "another's name"),
        ("Kexample.net.+015+54793", &key, Some(&private), "must be called", "another zone's name"),
    ];
    for (stem, key, private, want, why) in rows {
        let _ = std::fs::remove_dir_all(scratch.path("state"));
        let path = |extension| scratch.path(&format!("state/keys/example.com/{stem}.{extension}"));
        std::fs::create_dir_all(path("key").parent().unwrap()).unwrap();
        std::fs::write(path("key"), key).unwrap();
        if let Some(private) = private {
            std::fs::write(path("private"), private).unwrap();
        }
        let said = told(&scratch, &["list", "example.com"], if want.is_empty() { 0 } else { 2 });
        assert!(said.contains(want), "{why}: {said}");
        assert!(!said.contains("DGsGYqxAj7lht97D"), "{why}: a private key is shown");
    }
}

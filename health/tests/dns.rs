//! DNS probes against a real server, and against ones that answer wrongly.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read files, and may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rhumb_health::Cause::{Refused, Silent, Wrong};
use support::programs::skipped;
use support::servers::{Manner, serve, serve_datagrams};
use support::{LOOPBACKS, Want, check, reply_at};

const ZONE: &str = "\
$ORIGIN example.com.
@ 60 SOA ns hostmaster 1 60 60 600 60
@ 60 NS ns
ns 60 A 192.0.2.53
www 60 A 192.0.2.1
www 60 A 192.0.2.2
www 60 AAAA 2001:db8::1
@ 60 MX 10 Mail
@ 60 MX 20 mail2
mail 60 A 192.0.2.3
alias 60 CNAME www
_sip._tcp 60 SRV 1 2 5060 mail
side 60 TXT \"north is writable\" \"second\"
";

/// A server of the zone above; none where Knot is not installed.
struct Knot {
    child: Child,
    at: SocketAddr,
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn knot() -> Option<Knot> {
    let program = "/usr/sbin/knotd";
    if !Path::new(program).is_file() {
        skipped("needs knotd");
        return None;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("knot");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    // A port that nobody has now, of both protocols.
    let at = loop {
        let tcp = std::net::TcpListener::bind((LOOPBACKS[0], 0)).unwrap();
        let at = tcp.local_addr().unwrap();
        if std::net::UdpSocket::bind(at).is_ok() {
            break at;
        }
    };
    let (folder, port) = (directory.display(), at.port());
    let config = format!(
        "server:\n  rundir: {folder}\n  listen: [127.0.0.1@{port}, ::1@{port}]\n\
         database:\n  storage: {folder}\n\
         zone:\n  - domain: example.com\n    file: {folder}/zone\n"
    );
    fs::write(directory.join("zone"), ZONE).unwrap();
    fs::write(directory.join("conf"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(directory.join("conf")).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Knot { child: command.spawn().unwrap(), at };
    let start = Instant::now();
    while std::net::TcpStream::connect(at).is_err() {
        assert!(start.elapsed() < Duration::from_secs(30), "knotd does not serve");
        std::thread::yield_now();
    }
    Some(server)
}

#[tokio::test]
async fn a_real_server() {
    let Some(server) = knot() else { return };
    let rows: [(&str, Want, Option<&str>, &str); 15] = [
        ("dns: www.example.com", Ok(()), None, "it answers"),
        ("dns: www.example.com, answer: 192.0.2.2", Ok(()), None, "with this among others"),
        ("dns: www.example.com, answer: [192.0.2.2, 192.0.2.1]", Ok(()), None, "in any order"),
        ("dns: www.example.com, answer: 192.0.2.9", Err((Wrong, "no A 192.0.2.9")), None, "not with that"),
        ("dns: WWW.Example.com, type: AAAA, answer: '2001:DB8::1'", Ok(()), None, "as data"),
        (
            "dns: example.com, type: MX, answer: 10 mail.example.com.",
            Ok(()),
            None,
            "names without case, compressed",
        ),
        (
            "dns: example.com, type: SOA, answer: 'ns.example.com. hostmaster.example.com. 1 60 60 600 60'",
            Ok(()),
            None,
            "two names",
        ),
        (
            "dns: _sip._tcp.example.com, type: SRV, answer: 1 2 5060 mail.example.com.",
            Ok(()),
            None,
            "a name at the end",
        ),
        ("dns: alias.example.com, answer: 192.0.2.1", Ok(()), None, "at the end of an alias"),
        ("dns: alias.example.com, type: CNAME, answer: www.example.com.", Ok(()), None, "the alias"),
        ("dns: nothing.example.com", Err((Wrong, "response code 3")), None, "no such name"),
        ("dns: nothing.example.com, rcode: nxdomain", Ok(()), None, "as wanted"),
        ("dns: www.example.net", Err((Wrong, "response code 5")), None, "another's zone"),
        ("dns: www.example.net, rcode: refused", Ok(()), None, "as wanted"),
        ("dns: side.example.com, type: TXT", Ok(()), Some("north"), "what it reports"),
    ];
    for (text, want, report, why) in rows {
        for address in LOOPBACKS {
            for protocol in ["", ", tcp: true"] {
                let text = format!("{{ {text}, port: PORT{protocol} }}");
                let got = reply_at(&text, SocketAddr::new(address, server.at.port())).await;
                check(&got, want, &format!("{text}: {why}"));
                assert_eq!(got.report.as_deref(), report, "{text}: {why}");
            }
        }
    }
}

/// An answer to a query with one A record, before it is spoilt.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x80;
    answer[7] = 1;
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    answer
}

/// How an answer is spoilt, what must come of it, why.
type Row = (fn(&mut Vec<u8>), Want, &'static str);

#[tokio::test]
async fn servers_that_answer_wrongly() {
    let rows: [Row; 15] = [
        (|_| {}, Ok(()), "a good answer"),
        (|a| a[0] ^= 1, Err((Silent, "")), "another id is another's answer"),
        (|a| a[2] &= 0x7f, Err((Silent, "")), "a query"),
        (|a| a[14] ^= 1, Err((Silent, "")), "another question"),
        (|a| a[13] ^= 0x20, Ok(()), "the question in other case"),
        (|a| a[5] = 0, Err((Silent, "")), "no question, though there is no error"),
        (
            |a| {
                a.truncate(12);
                a[3] = 1;
                a[5] = 0;
                a[7] = 0
            },
            Err((Wrong, "response code 1")),
            "a format error",
        ),
        (|a| a.truncate(11), Err((Silent, "")), "less than a header"),
        (|a| a.clear(), Err((Silent, "")), "nothing"),
        (
            |a| {
                a.pop();
            },
            Err((Wrong, "malformed")),
            "cut",
        ),
        (|a| a[7] = 9, Err((Wrong, "malformed")), "records that are not there"),
        (|a| a[6] = 255, Err((Wrong, "malformed")), "65,281 of them"),
        (
            |a| {
                let at = a.len() - 16;
                a[at + 1] = u8::try_from(at).unwrap()
            },
            Err((Wrong, "malformed")),
            "a name that points at itself",
        ),
        (
            |a| {
                let at = a.len() - 16;
                a[at] = 0x80
            },
            Err((Wrong, "malformed")),
            "an unknown kind of label",
        ),
        (
            |a| {
                let at = a.len() - 6;
                a[at] = 255
            },
            Err((Wrong, "malformed")),
            "data longer than the message",
        ),
    ];
    for (spoil, want, why) in rows {
        for address in LOOPBACKS {
            let spoilt = move |query: &[u8]| {
                let mut answer = answer(query);
                spoil(&mut answer);
                vec![answer]
            };
            let at = serve_datagrams(address, spoilt).await;
            let text = "{ dns: example.com, port: PORT, answer: 192.0.2.1, timeout: 200ms }";
            check(&reply_at(text, at).await, want, why);
        }
    }
}

#[tokio::test]
async fn the_right_answer_among_wrong_ones() {
    let flood = |query: &[u8]| {
        let wrong = (0..50).map(|number| {
            let mut wrong = answer(query);
            wrong[1] ^= number + 1;
            wrong
        });
        wrong.chain([answer(query)]).collect()
    };
    let at = serve_datagrams(LOOPBACKS[0], flood).await;
    let got = reply_at("{ dns: example.com, port: PORT, answer: 192.0.2.1 }", at).await;
    check(&got, Ok(()), "others are passed over");
    assert_eq!(got.lost, 0, "and are no losses");
}

#[tokio::test]
async fn streams_that_misbehave() {
    let rows: [(&str, Manner, Want, &str); 6] = [
        ("timeout: 300ms", Manner::Mute, Err((Silent, "connected, but")), "never answers"),
        ("timeout: 300ms", Manner::Deaf, Err((Silent, "no answer")), "does not accept"),
        ("", Manner::Closes, Err((Wrong, "closed the connection")), "closes at once"),
        ("", Manner::Resets, Err((Refused, "reset")), "resets"),
        ("", Manner::SaysWithoutEnd("xx"), Err((Wrong, "another question")), "speaks otherwise, without end"),
        ("timeout: 300ms", Manner::Says("\u{1}\u{1}short"), Err((Wrong, "closed")), "stops in the midst"),
    ];
    for (keys, manner, want, why) in rows {
        let at = serve(LOOPBACKS[0], manner).await;
        let text = format!("{{ dns: example.com, port: PORT, tcp: true, {keys} }}").replace(", }", " }");
        check(&reply_at(&text, at).await, want, why);
    }
}

#[tokio::test]
async fn what_is_truncated_is_asked_again_by_tcp() {
    let cut = |query: &[u8]| {
        let mut answer = answer(query);
        answer[2] |= 2;
        answer.truncate(query.len() + 3);
        vec![answer]
    };
    let at = serve_datagrams(LOOPBACKS[0], cut).await;
    let text = "{ dns: example.com, port: PORT, answer: 192.0.2.1, timeout: 300ms }";
    check(&reply_at(text, at).await, Err((Refused, "connection refused")), "nobody there");
    let listener = tokio::net::TcpListener::bind(at).await.unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut query).await.unwrap();
        let answer = answer(&query);
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    });
    check(&reply_at(text, at).await, Ok(()), "the whole answer");
}

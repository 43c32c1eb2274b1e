//! Alarms reach whoever takes them, and whoever does not costs nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime};

use rhumb::alarm::{Herald, Patience, Url, Webhook};
use rhumb_policies::{Event, EventKind, Phase, Severity};
use serde_json::Value as Json;
use support::programs::{PATIENCE, Program, fresh_directory, missing};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

#[path = "support/all.rs"]
mod support;

/// Short, so that failures do not take long.
const QUICK: Patience = Patience {
    timeout: Duration::from_millis(300),
    pause: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    tries: 4,
    repeat: Duration::from_millis(200),
};

/// What a receiver does with a connection.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Manner {
    /// Reads the letter and says this status.
    Say(u16),
    /// The same, and a body without end.
    Endless(u16),
    /// Reads nothing, says nothing.
    Hang,
    /// Closes at once.
    Close,
    /// Headers without end.
    Babble,
    /// Something that is not HTTP.
    Noise,
}

/// A plain webhook; the last of its manners goes on for ever.
struct Receiver {
    address: SocketAddr,
    /// Letters that were read whole.
    letters: Arc<Mutex<Vec<Json>>>,
    connections: Arc<Mutex<usize>>,
}

impl Receiver {
    fn new(manners: &'static [Manner]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (letters, connections) = (Arc::new(Mutex::default()), Arc::new(Mutex::new(0)));
        let (read, count) = (Arc::clone(&letters), Arc::clone(&connections));
        std::thread::spawn(move || {
            let mut manners = manners.iter().copied().chain(manners.last().copied().into_iter().cycle());
            for stream in listener.incoming() {
                let (read, manner) = (Arc::clone(&read), manners.next().unwrap());
                *count.lock().unwrap() += 1;
                // A broken pipe ends it.
                std::thread::spawn(move || serve(stream.unwrap(), manner, &read));
            }
        });
        Self { address, letters, connections }
    }

    fn webhook(&self) -> Webhook {
        Webhook::Plain(Url::parse(&format!("http://{}/hook?key=1", self.address)).unwrap())
    }

    /// Targets of the events of letters, in the order in which they came.
    fn told(&self) -> Vec<String> {
        let letters = self.letters.lock().unwrap();
        let events = letters.iter().flat_map(|letter| letter["events"].as_array().unwrap());
        events.map(|event| event["target"].as_str().unwrap().to_owned()).collect()
    }
}

fn serve(mut stream: TcpStream, manner: Manner, letters: &Mutex<Vec<Json>>) -> std::io::Result<()> {
    match manner {
        Manner::Close => return Ok(()),
        Manner::Hang => {
            // Until the other side has had enough.
            let mut reader = stream.try_clone()?;
            while reader.read(&mut [0; 1024])? > 0 {}
            return Ok(());
        }
        Manner::Babble => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                stream.write_all(b"x-more: and more\r\n")?;
            }
        }
        Manner::Noise => return stream.write_all(b"220 mail.example.com ESMTP\r\n"),
        Manner::Say(_) | Manner::Endless(_) => {}
    }
    let letter = read_letter(&stream)?;
    letters.lock().unwrap().push(letter);
    match manner {
        Manner::Endless(status) => {
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 99999999999\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        Manner::Say(status) => write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
        _ => Ok(()),
    }
}

fn read_letter(stream: impl std::io::Read) -> std::io::Result<Json> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut first = true;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        assert!(!std::mem::take(&mut first) || line == "POST /hook?key=1 HTTP/1.1\r\n", "{line}");
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body).unwrap())
}

fn event(target: &str, phase: Phase) -> Event {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Event {
        at_ms: u64::try_from(now.as_millis()).unwrap(),
        kind: EventKind::TargetDown,
        phase,
        target: target.to_owned(),
        severity: Severity::Warning,
        text: format!("{target} is down, and with it vip:www/north/telecom."),
        cause: None,
        masked: vec!["vip:www/north/telecom".to_owned()],
        masked_count: 1,
    }
}

fn herald(webhooks: Vec<Webhook>) -> Herald {
    Herald::spawn(webhooks, Some("north"), QUICK).unwrap()
}

fn wait(why: &str, mut until: impl FnMut() -> bool) {
    let start = Instant::now();
    while !until() {
        assert!(start.elapsed() < PATIENCE, "{why}: not in time");
        std::thread::yield_now();
    }
}

#[test]
fn receivers() {
    use Manner::{Babble, Close, Endless, Hang, Noise, Say};
    let rows: [(&'static [Manner], &[&str], usize, &str); 8] = [
        (&[Say(200)], &["a", "b"], 2, "takes at once"),
        (&[Say(500), Say(503), Say(204)], &["a", "a", "a", "b"], 4, "fails twice, then takes"),
        (&[Close, Close, Say(200)], &["a", "b"], 4, "closes at once"),
        (&[Hang, Say(200)], &["a", "b"], 3, "hangs"),
        (&[Endless(200)], &["a", "b"], 2, "takes it, and says so without end"),
        (&[Babble, Noise, Say(200)], &["a", "b"], 4, "headers without end, then no HTTP"),
        (&[Say(302), Say(404), Say(200)], &["a", "a", "a", "b"], 4, "elsewhere, nowhere, here"),
        (
            &[Say(500)],
            &["a", "a", "a", "a", "b", "b", "b", "b"],
            8,
            "never takes: given up, and the next tried",
        ),
    ];
    for (manners, want, connections, why) in rows {
        let receiver = Receiver::new(manners);
        let herald = herald(vec![receiver.webhook()]);
        herald.tell(vec![event("a", Phase::Begins)]);
        wait(why, || receiver.told().len() >= want.iter().filter(|&&one| one == "a").count());
        herald.tell(vec![event("b", Phase::Begins)]);
        drop(herald);
        assert_eq!(receiver.told(), want, "{why}");
        assert_eq!(*receiver.connections.lock().unwrap(), connections, "{why}");
    }
}

#[test]
fn letters() {
    let receiver = Receiver::new(&[Manner::Say(200)]);
    let told = event("link:north/telecom", Phase::Begins);
    herald(vec![receiver.webhook()]).tell(vec![told.clone()]);
    let want = serde_json::json!({
        "site": "north",
        "events": [{
            "at_ms": told.at_ms,
            "kind": "target-down",
            "phase": "begins",
            "target": "link:north/telecom",
            "severity": "warning",
            "text": "link:north/telecom is down, and with it vip:www/north/telecom.",
            "cause": null,
            "masked": ["vip:www/north/telecom"],
            "masked_count": 1,
        }],
    });
    assert_eq!(*receiver.letters.lock().unwrap(), [want], "also what was told last before the end");
}

/// Neither one that hangs nor one that is not there holds up the others or
/// whoever tells.
#[test]
fn nobody_waits_for_anybody() {
    /// Half of what is kept: nothing may be lost.
    const EVENTS: usize = 5_000;
    let (slow, well) = (Receiver::new(&[Manner::Hang]), Receiver::new(&[Manner::Say(200)]));
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let nobody = Url::parse(&format!("http://{nobody}")).unwrap();
    let others = [Webhook::Plain(nobody.clone()), Webhook::Alertmanager(nobody)];
    let herald = herald([slow.webhook(), well.webhook()].into_iter().chain(others).collect());
    let start = Instant::now();
    for number in 0..EVENTS {
        herald.tell(vec![event(&number.to_string(), Phase::Begins)]);
    }
    assert!(start.elapsed() < QUICK.timeout * 10, "telling took {:?}", start.elapsed());
    wait("all told", || well.told().len() == EVENTS);
    let want: Vec<_> = (0..EVENTS).map(|number| number.to_string()).collect();
    assert_eq!(well.told(), want, "in order, each once");
    let start = Instant::now();
    drop(herald);
    assert!(start.elapsed() < Herald::GRACE * 2, "the end took {:?}", start.elapsed());
}

/// A webhook over TLS with a certificate for `localhost`; sends what it was told.
fn tls_receiver(directory: &Path) -> (u16, mpsc::Receiver<Option<Json>>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map(Result::unwrap) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // Before the answer, after which nobody waits.
            tell.send(read_letter(&mut stream).ok()).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (port, told)
}

/// What the process below is told.
const URL: &str = "RHUMB_TEST_WEBHOOK";

/// Runs as a process of its own: which authorities are trusted is a matter of
/// the environment.
#[test]
fn https_sender() {
    if let Ok(url) = std::env::var(URL) {
        herald(vec![Webhook::Plain(Url::parse(&url).unwrap())]).tell(vec![event("a", Phase::Begins)]);
    }
}

#[test]
fn https() {
    let directory = fresh_directory("https");
    let (port, told) = tls_receiver(&directory);
    let rows: [(&str, bool, &[Option<&str>], &str); 3] = [
        ("localhost", true, &[Some("a")], "trusted and of that name"),
        ("127.0.0.1", true, &[None; 4], "another name: each try fails"),
        ("localhost", false, &[None; 4], "nobody vouches for it"),
    ];
    for (host, is_trusted, want, why) in rows {
        let mut sender = Command::new(std::env::current_exe().unwrap());
        sender.args(["--exact", "https_sender"]).env(URL, format!("https://{host}:{port}/hook?key=1"));
        let authorities = directory.join(if is_trusted { "cert.pem" } else { "none.pem" });
        sender.env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
        assert!(sender.output().unwrap().status.success(), "{why}");
        let target = |letter: Json| letter["events"][0]["target"].as_str().unwrap().to_owned();
        for want in want {
            let got = told.recv_timeout(PATIENCE).unwrap().map(target);
            assert_eq!(got.as_deref(), *want, "{why}");
        }
    }
    assert!(told.try_recv().is_err(), "no more letters than wanted");
}

/// Alerts that stand, by target, and when each was last told.
fn standing(address: SocketAddr) -> Option<Vec<(String, String)>> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /api/v2/alerts?active=true HTTP/1.0\r\nhost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let alerts: Json = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    let alert = |alert: &Json| {
        assert_eq!(
            alert["labels"],
            serde_json::json!({
                "alertname": "target-down", "job": "rhumb", "severity": "warning", "site": "north",
                "target": alert["labels"]["target"],
            })
        );
        assert_eq!(alert["annotations"]["masked"], "vip:www/north/telecom");
        assert!(alert["annotations"]["summary"].as_str().unwrap().contains("is down, and with it"));
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        (text(&alert["labels"]["target"]), text(&alert["updatedAt"]))
    };
    let mut alerts: Vec<_> = alerts.as_array()?.iter().map(alert).collect();
    alerts.sort();
    Some(alerts)
}

#[test]
fn alertmanager() {
    if missing(&["prometheus-alertmanager"]) {
        return;
    }
    let directory = fresh_directory("alertmanager");
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    std::fs::write(directory.join("config.yml"), "route: { receiver: none }\nreceivers: [{ name: none }]\n")
        .unwrap();
    let mut command = Command::new("prometheus-alertmanager");
    command.args(["--config.file=config.yml", "--storage.path=data", "--cluster.listen-address="]);
    command.arg(format!("--web.listen-address={address}"));

    let webhook = Webhook::Alertmanager(Url::parse(&format!("http://{address}/")).unwrap());
    let first = herald(vec![webhook]);
    first.tell(vec![event("link:a", Phase::Begins), event("link:b", Phase::Begins)]);
    // It starts after it was told first: nothing is lost.
    let mut program = Program::start(&directory, command);
    program.await_ready(|| standing(address).is_some());
    let targets = || standing(address).unwrap().into_iter().map(|(target, _)| target).collect::<Vec<_>>();
    wait("both stand", || targets() == ["link:a", "link:b"]);

    // Four repetitions are as long as an alert lives unrepeated.
    for _ in 0..5 {
        let before = standing(address).unwrap();
        wait("they are repeated", || {
            standing(address).unwrap().iter().zip(&before).all(|(now, then)| now.1 > then.1)
        });
    }
    first.tell(vec![event("link:a", Phase::Ends)]);
    wait("one ends", || targets() == ["link:b"]);
    first.tell(vec![event("link:a", Phase::Begins), event("link:c", Phase::Notice)]);
    wait("it comes back, and a notice is no alert", || targets() == ["link:a", "link:b"]);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    first.stand(&[event("link:b", Phase::Begins), event("link:d", Phase::Begins)], now);
    wait("after a reload others stand", || targets() == ["link:b", "link:d"]);
    drop(first);
    wait("they end by themselves", || targets().is_empty());
}

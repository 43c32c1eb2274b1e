//! The listening side under peers that break rules, one after another, while
//! a good prober votes: whatever they do, its votes come through.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rhumb::votes::{Identity, Settings, VoteSender, Votes};
use rhumb_health::ballot::Vote;
use rhumb_health::{Measure, Status};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::papers::{Authority, Scratch};

/// How long a caller may take to say who it is.
const WELCOME: Duration = Duration::from_secs(5);

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

type Heard = (Arc<str>, Arc<str>, Vec<(String, Vote)>);

/// A listening side, and a prober `good` of site `south` that votes there.
struct Scene {
    address: SocketAddr,
    heard: Receiver<Heard>,
    good: VoteSender,
    votes: u32,
}

impl Scene {
    fn new(authority: &Authority<'_>) -> Self {
        let settings = |site: &str, identity| Settings {
            site: Arc::from(site),
            prober: Some(Arc::from("good")),
            listen: None,
            to: Vec::new(),
            identity,
        };
        let north = settings("north", authority.issue(&["127.0.0.1", "north"]));
        let hall = Votes::new(Settings { listen: Some("127.0.0.1:0".parse().unwrap()), ..north }).unwrap();
        let address = hall.address().unwrap();
        let (sender, heard) = channel();
        hall.spawn(Box::new(move |site, prober, votes| drop(sender.send((site, prober, votes))))).unwrap();
        let south = settings("south", authority.issue(&["south"]));
        let prober =
            Votes::new(Settings { to: vec![address.to_string().parse().unwrap()], ..south }).unwrap();
        let good = prober.sender();
        prober.spawn(Box::new(|_, _, _| ())).unwrap();
        Self { address, heard, good, votes: 0 }
    }

    /// The good prober votes; gives back how long that took to be heard.
    fn vote(&mut self, why: &str) -> Duration {
        self.votes += 1;
        let measure = Measure { tries: self.votes, ..Measure::default() };
        let leaning = if self.votes.is_multiple_of(2) { Status::Up } else { Status::Down };
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let start = Instant::now();
        self.good.tell(vec![(
            "link:south/a".to_owned(),
            Vote { leaning, is_settled: true, measure, failure: None, at },
        )]);
        loop {
            let (site, prober, votes) = self.heard.recv_timeout(PATIENCE).expect(why);
            if &*prober == "good" && votes.iter().any(|(_, vote)| vote.measure.tries == self.votes) {
                assert_eq!(&*site, "south");
                return start.elapsed();
            }
        }
    }
}

/// Connects with `identity` (nobody's: without certificate), says `said`, and
/// gives back everything that was answered until the end of the connection.
fn talk(address: SocketAddr, trust: &Identity, identity: Option<&Identity>, said: &[u8]) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&trust.ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some(Identity { cert, key, .. }) => {
            let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let connection = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    // It may be cut off in mid-word.
    let written = stream.write_all(said).and_then(|()| stream.flush());
    let mut answers = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answers.extend(&buffer[..read]),
            Err(error) => {
                answers.extend(format!("[{error}]").bytes());
                break;
            }
        }
    }
    if let Err(error) = written {
        answers.extend(format!("[{error}]").bytes());
    }
    String::from_utf8(answers).unwrap()
}

fn hello(site: &str, epoch: u64) -> String {
    format!("{{\"rhumb\":1,\"site\":\"{site}\",\"prober\":\"bad\",\"epoch\":{epoch}}}\n")
}

fn message(seq: u64, votes: usize) -> String {
    let vote = r#"{"subject":"no:such/thing","status":"up","settled":true,"age_ms":0,"loss":0,"tries":1}"#;
    format!("{{\"seq\":{seq},\"votes\":[{}]}}\n", vec![vote; votes].join(","))
}

#[test]
fn whoever_breaks_a_rule_is_told_and_hurts_nobody() {
    let scratch = Scratch::new("strangers");
    let authority = Authority::new(&scratch, "ours");
    let south = authority.issue(&["south"]);
    let foreign = Authority::new(&scratch, "theirs").issue(&["south"]);
    let mut scene = Scene::new(&authority);
    scene.vote("before anything happens");
    let lines = |lines: &[String]| lines.concat().into_bytes();
    let rows: Vec<(Option<&Identity>, Vec<u8>, &str, &str)> = vec![
        (None, lines(&[hello("south", 1)]), "CertificateRequired", "no certificate"),
        (Some(&foreign), lines(&[hello("south", 1)]), "UnknownCA", "a certificate of another authority"),
        (
            Some(&south),
            lines(&[hello("north", 1)]),
            "its certificate is for south, not for site north",
            "not its site",
        ),
        (Some(&south), lines(&[hello("SOUTH", 1)]), "not for site SOUTH", "another spelling is another site"),
        (Some(&south), lines(&[hello("south.", 1)]), "not for site south.", "and so is this one"),
        (Some(&south), b"GET / HTTP/1.1\r\n\r\n".to_vec(), "this is no line of votes", "another protocol"),
        (Some(&south), vec![b'x'; 2_000], "a line without end", "an endless hello"),
        (
            Some(&south),
            lines(&[hello("south", 1).replace("1,", "9,")]),
            "version 9",
            "a protocol of the future",
        ),
        (
            Some(&south),
            lines(&[hello("south", 1), message(1, 1), message(1, 1)]),
            "message 1 comes after 1",
            "the same message twice; an unknown subject is nobody's",
        ),
        (
            Some(&south),
            lines(&[hello("south", 1), message(1, 1)]),
            "message 1 comes after 1",
            "an old message on a new connection",
        ),
        (
            Some(&south),
            lines(&[hello("south", 2), message(5, 0), message(4, 1)]),
            "4 comes after 5",
            "going back",
        ),
        (Some(&south), lines(&[hello("south", 3), message(1, 129)]), "129 votes", "too many at once"),
        (
            Some(&south),
            lines(&[hello("south", 4), "{\"seq\":1,".to_owned(), "x".repeat(300_000)]),
            "",
            "an endless line",
        ),
        (
            Some(&south),
            lines(&[hello("south", 5), message(1, 1).replace("\"loss\":0", "\"loss\":7")]),
            "a loss must",
            "nonsense",
        ),
    ];
    for (identity, said, want, why) in rows {
        let got = talk(scene.address, &south, identity, &said);
        assert!(got.contains(want), "{why}: {got}");
        scene.vote(why);
    }
}

#[test]
fn certificates_are_renewed_while_it_runs() {
    let scratch = Scratch::new("renewal");
    let (ours, theirs) = (Authority::new(&scratch, "ours"), Authority::new(&scratch, "theirs"));
    let mut scene = Scene::new(&ours);
    scene.vote("connected");
    let files = ours.name(&["127.0.0.1", "north"]);
    let other = theirs.issue(&["127.0.0.1", "north"]);
    let ca = std::fs::read(&files.ca).unwrap();
    type Edit<'e> = Box<dyn Fn() + 'e>;
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to).map(|_| ()).unwrap();
    let rows: [(Edit<'_>, &Authority<'_>, &str); 4] = [
        (Box::new(|| ()), &ours, "as it began"),
        (
            Box::new(|| std::fs::write(&files.cert, "half of a certif").unwrap()),
            &ours,
            "a mistake changes nothing",
        ),
        (Box::new(|| copy(&other.cert, &files.cert)), &ours, "a certificate without its key neither"),
        (
            Box::new(|| {
                copy(&other.key, &files.key);
                copy(&other.ca, &files.ca);
            }),
            &theirs,
            "all of them are there",
        ),
    ];
    for (edit, authority, why) in rows {
        edit();
        let south = authority.issue(&["south"]);
        // The file of ours may be theirs by now.
        let trust = Identity { ca: scratch.write("trust.pem", &authority.pem()), ..south.clone() };
        let got = talk(scene.address, &trust, Some(&south), hello("west", 1).as_bytes());
        assert!(got.contains("its certificate is for south"), "{why}: {got}");
        scene.vote("whoever is connected stays");
    }
    assert_ne!(std::fs::read(&files.ca).unwrap(), ca);
}

#[test]
fn a_crowd_leaves_room() {
    let scratch = Scratch::new("crowd");
    let authority = Authority::new(&scratch, "ours");
    let mut scene = Scene::new(&authority);
    scene.vote("before the crowd comes");
    let start = Instant::now();
    let crowd: Vec<_> = (0..40).map(|_| TcpStream::connect(scene.address).unwrap()).collect();
    let turned_away = |mut stream: &TcpStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Closed or reset.
        let _ = stream.read(&mut [0; 64]);
        start.elapsed()
    };
    scene.vote("while they stand around");
    let last = crowd[16..].iter().map(turned_away).max().unwrap();
    assert!(
        last < WELCOME,
        "16 of an address may stand around; those after them go at once, not after {last:?}"
    );
    let first = crowd[..16].iter().map(turned_away).min().unwrap();
    assert!(first >= WELCOME, "the 16 have their time, not {first:?}");
    // There is room again for one that says who it is.
    let south = authority.issue(&["south"]);
    let got = talk(scene.address, &south, Some(&south), hello("west", 1).as_bytes());
    assert!(got.contains("not for site west"), "{got}");
    scene.vote("after they left");
}

#[test]
fn news_travel_fast() {
    let scratch = Scratch::new("latency");
    let mut scene = Scene::new(&Authority::new(&scratch, "ours"));
    scene.vote("connected");
    let mut took: Vec<_> = (0..200).map(|_| scene.vote("news")).collect();
    took.sort();
    println!("news: median {:?}, 99 of 100 within {:?}, worst {:?}", took[100], took[197], took[199]);
    // The median, because a machine that runs tests is busy.
    assert!(took[100] < Duration::from_millis(10), "the median took {:?}", took[100]);
}

#[test]
fn ten_thousand_votes_arrive() {
    let scratch = Scratch::new("many");
    let mut scene = Scene::new(&Authority::new(&scratch, "ours"));
    scene.vote("connected");
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let measure = Measure {
        loss: 0.1,
        delay_ms: Some(1.25),
        p50_ms: Some(1.0),
        p95_ms: Some(2.5),
        jitter_ms: Some(0.5),
        tries: 60,
    };
    let failure = Some("no answer within 1 s".into());
    let vote = Vote { leaning: Status::Down, is_settled: true, measure, failure, at };
    let start = Instant::now();
    scene.good.tell(
        (0..10_000).map(|one| (format!("vip:service-{one}/north/telecom@192.0.2.1"), vote.clone())).collect(),
    );
    let mut heard = 0;
    while heard < 10_000 {
        let (_, _, votes) = scene.heard.recv_timeout(PATIENCE).expect("all of them arrive");
        assert!(votes.iter().all(|(_, heard)| heard.measure == measure && heard.failure == vote.failure));
        heard += votes.len();
    }
    println!("10,000 votes: {:?}", start.elapsed());
    scene.vote("and what comes after them");
}

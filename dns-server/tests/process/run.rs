//! Running the binary, and a scratch directory for its files.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::Name;
use rustix::process::Pid;

/// How long to wait for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The binary with these arguments, and no word of this machine's own.
pub(crate) fn rhumb(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rhumb"));
    command.args(arguments).env_remove("RHUMB_LOG").env("NO_COLOR", "1");
    command
}

/// A directory of one test's own, gone when the test is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the binary in the directory to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        rhumb(arguments).current_dir(&self.0).output().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file below `testdata/`.
pub(crate) fn testdata(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("testdata").join(name).to_str().unwrap().to_owned()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until `holds`.
pub(crate) fn wait_until(why: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{why}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A running server in a scratch directory, stopped when dropped.
pub(crate) struct Server<'s> {
    scratch: &'s Scratch,
    child: Child,
    socket: UdpSocket,
}

/// Relative to the scratch directory: the path of a socket may have 107 bytes.
const ADMIN: &str = "admin.sock";

impl<'s> Server<'s> {
    /// Starts `rhumb serve` and waits until it listens.
    pub(crate) fn start(scratch: &'s Scratch, arguments: &[&str]) -> Self {
        let (server, lines) = Self::start_telling(scratch, arguments);
        assert_eq!(lines.last().unwrap(), &format!("admin socket {ADMIN}"));
        server
    }

    /// The same, with what it says.
    pub(crate) fn start_telling(scratch: &'s Scratch, arguments: &[&str]) -> (Self, Vec<String>) {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--admin", ADMIN];
        let mut command = rhumb(&[&fixed[..], arguments].concat());
        Self::spawn(scratch, command.current_dir(&scratch.0))
    }

    /// Starts `rhumb demo`, its files in the scratch directory.
    pub(crate) fn demo(scratch: &'s Scratch) -> (Self, Vec<String>) {
        let mut command = rhumb(&["demo"]);
        Self::spawn(scratch, command.env("XDG_RUNTIME_DIR", &scratch.0))
    }

    /// Starts it and reads what it says until it says no more for now.
    fn spawn(scratch: &'s Scratch, command: &mut Command) -> (Self, Vec<String>) {
        let log = std::fs::File::create(scratch.path("server.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_last = |line: &String| line.starts_with("admin socket ") || line == "Ctrl-C stops.";
        let mut said: Vec<String> = Vec::new();
        for line in lines {
            said.push(line);
            if said.last().is_some_and(is_last) {
                break;
            }
        }
        let Some(first) = said.first() else { panic!("it did not start: {}", scratch.read("server.log")) };
        let address: SocketAddr = first.strip_prefix("listening on ").unwrap().parse().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        (Self { scratch, child, socket }, said)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Runs a command that talks to it.
    pub(crate) fn tell(&self, arguments: &[&str]) -> Output {
        self.scratch.run(&[arguments, &["--admin", ADMIN]].concat())
    }

    /// `rhumb status --json`.
    pub(crate) fn status(&self) -> serde_json::Value {
        self.json(&["status"])
    }

    /// The data of the answers to `NAME TYPE`, sorted; the rcode if there is none.
    pub(crate) fn ask(&self, question: &str) -> String {
        let reply = self.reply(question);
        let mut data: Vec<String> = reply.answers.iter().map(|record| record.data.to_string()).collect();
        data.sort();
        if data.is_empty() { reply.metadata.response_code.to_string() } else { data.join(" ") }
    }

    /// The TTL of the first answer to `NAME TYPE`.
    pub(crate) fn ttl(&self, question: &str) -> u32 {
        self.reply(question).answers.first().unwrap().ttl
    }

    fn reply(&self, question: &str) -> Message {
        let (name, rtype) = question.split_once(' ').unwrap();
        let (name, rtype) = (Name::from_ascii(name).unwrap(), rtype.parse().unwrap());
        let mut query = Message::query();
        query.add_query(Query::query(name, rtype));
        self.socket.send(&query.to_vec().unwrap()).unwrap();
        let mut reply = [0; 4096];
        let length = self.socket.recv(&mut reply).expect("no query is lost");
        let reply = Message::from_vec(&reply[..length]).unwrap();
        assert_eq!(reply.metadata.id, query.metadata.id, "an answer to this question");
        reply
    }

    /// Asks until the answer is `want`; gives back how long that took.
    pub(crate) fn ask_until(&self, question: &str, want: &str, why: &str) -> Duration {
        let start = Instant::now();
        loop {
            let got = self.ask(question);
            if got == want {
                return start.elapsed();
            }
            assert!(start.elapsed() < PATIENCE, "{why}: {question} is {got}, not {want}");
        }
    }

    /// A command that prints JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.tell(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Waits until it has ended and says how.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

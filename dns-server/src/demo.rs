//! A complete world with nothing installed: `rhumb demo`.
//!
//! The policy and its zone file are in the binary and are served by the same
//! code as any other, on loopback and an unprivileged port. Everything that
//! works on a real server works on it: `status`, `explain`, `dig`.
//!
//! What can break is a file each, read by `file` probes: `rhumb demo break
//! interconnect` writes `down` there and the rest happens as it would. Fake
//! listeners were refused: a hundred ports that a newcomer's machine may not
//! have free, to show nothing more.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::admin;
use crate::config::{Config, cores};
use crate::load::{Document, Sources};
use crate::net::NetOptions;
use crate::snapshot::Options;

/// What can be broken, with what it shows.
pub const SCENES: [(&str, &str); 5] = [
    ("break link:fra/blue", "its clients enter fra over green"),
    ("break fra", "all links of fra: everybody goes to iad"),
    ("break interconnect", "orders, written in fra, is answered with fra alone"),
    ("mend fra", "fra comes back after its hold-down"),
    ("mend interconnect", "and so does iad, for orders"),
];

const POLICY: &str = include_str!("../../testdata/policies/demo.yaml");
const ZONE: &str = include_str!("../../testdata/policies/demo.zone");

/// What stands before the name of a probe's file in the policy.
const PROBE: &str = "{ file: ";

/// Where it answers, if that port is free.
const PORT: u16 = 5300;

/// How many ports are tried.
const PORTS: u16 = 100;

/// Questions worth asking, with what they show.
pub const QUESTIONS: [(&str, &str); 9] = [
    ("www.gslb.example.com A +subnet=193.0.6.0/24", "a client in Europe"),
    ("www.gslb.example.com A +subnet=199.43.0.0/24", "one in America"),
    ("www.gslb.example.com A +subnet=198.51.100.0/24", "one in Paris at the carrier blue"),
    ("www.gslb.example.com A +subnet=203.0.113.0/24", "one in Paris at the carrier green"),
    ("www.gslb.example.com HTTPS +subnet=193.0.6.0/24", "the same decision as hints"),
    ("www.gslb.example.com A +subnet=2001:db8:1ab::/48", "the operator's own order of datacenters"),
    ("any.apps.gslb.example.com A +subnet=193.0.6.0/24", "a wildcard, both datacenters in one answer"),
    ("shop.gslb.example.com AAAA +subnet=193.0.6.0/24", "a static alias of a steered name"),
    ("_why.www.gslb.example.com TXT +subnet=193.0.6.0/24", "why"),
];

/// The embedded documents, with the files that their probes read in `stage`.
#[must_use]
pub fn documents(stage: &Path) -> Vec<Document> {
    let policy = POLICY.replace(PROBE, &format!("{PROBE}{}/", stage.display()));
    let document = |name: &str, text: &str| Document { name: Arc::from(name), bytes: text.as_bytes().into() };
    vec![document("demo.yaml", &policy), document("demo.zone", ZONE)]
}

/// The files that stand for what can break: a target each, saying `up`.
#[derive(Debug)]
pub struct Stage(PathBuf);

impl Stage {
    /// Sets the stage of the demonstration that answers on `port`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn set(port: u16) -> io::Result<Self> {
        let stage = Self(beside(&format!("rhumb-demo-{port}")));
        std::fs::create_dir_all(&stage.0)?;
        stage.props().iter().try_for_each(|prop| stage.put(prop, "up"))?;
        Ok(stage)
    }

    /// The stage of the demonstration that runs; of the one on `port` if
    /// several do.
    ///
    /// # Errors
    /// When none runs.
    pub fn find(port: Option<u16>) -> io::Result<Self> {
        let ports = port.map_or(PORT..PORT + PORTS, |port| port..port.saturating_add(1));
        let mut stages = ports.map(|port| beside(&format!("rhumb-demo-{port}"))).filter(|path| path.is_dir());
        let missing =
            || io::Error::new(io::ErrorKind::NotFound, "no demonstration runs; start one with `rhumb demo`");
        stages.next().map(Self).ok_or_else(missing)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes everything that `name` means `up` or `down`; gives back what that
    /// is. A bare datacenter means all its links.
    ///
    /// # Errors
    /// When nothing has that name, or a file cannot be written.
    pub fn turn(&self, name: &str, word: &str) -> io::Result<Vec<String>> {
        let wanted = name.replace([':', '/'], "-");
        let props = self.props();
        let links = format!("link-{wanted}-");
        let is_meant = |prop: &&String| {
            **prop == wanted || prop.starts_with(&format!("{wanted}-")) || prop.starts_with(&links)
        };
        let meant: Vec<String> = props.iter().filter(is_meant).cloned().collect();
        if meant.is_empty() {
            let all = props.join(", ");
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("nothing is called {name}: there are {all}"),
            ));
        }
        meant.iter().try_for_each(|prop| self.put(prop, word))?;
        Ok(meant)
    }

    /// Takes the stage down.
    pub fn strike(self) {
        // Gone already is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }

    fn put(&self, prop: &str, word: &str) -> io::Result<()> {
        // Renamed into place: a probe never reads half a word.
        let (path, new) = (self.0.join(prop), self.0.join(format!(".{prop}")));
        std::fs::write(&new, word)?;
        std::fs::rename(new, path)
    }

    /// What the policy's probes read.
    fn props(&self) -> Vec<String> {
        let name = |rest: &str| rest.split([' ', '}', ',']).next().unwrap_or_default().to_owned();
        POLICY.split(PROBE).skip(1).map(name).collect()
    }
}

/// Beside the socket of a real server.
fn beside(name: &str) -> PathBuf {
    admin::default_path().with_file_name(name)
}

/// How the demonstration runs: on `listen`, or on loopback at the first port
/// from 5300 that is really free.
///
/// # Errors
/// When no port is free, or the stage cannot be set.
pub fn config(listen: Option<SocketAddr>) -> io::Result<(Config, Stage)> {
    let listen = listen.map_or_else(free, Ok)?;
    let stage = Stage::set(listen.port())?;
    let config = Config {
        sources: Sources { embedded: documents(stage.path()), ..Sources::default() },
        net: NetOptions::new(vec![listen], cores()),
        user: None,
        admin: beside(&format!("rhumb-demo-{}.sock", listen.port())),
        state: None,
        site: None,
        alarms: Vec::new(),
        votes: None,
        options: Arc::new(Options::default()),
    };
    Ok((config, stage))
}

/// An address that nobody has for UDP or TCP. Asked without `SO_REUSEPORT`:
/// with it, two servers of one user would share the port and its queries.
fn free() -> io::Result<SocketAddr> {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let is_free =
        |address: &SocketAddr| UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok();
    (PORT..PORT + PORTS).map(address).find(is_free).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("no port from {PORT} to {} is free", PORT + PORTS - 1),
        )
    })
}

//! A server under test: the same world in process, on UDP and on TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clients::{Clients, encrypted};
use rhumb::net::{NetOptions, Running, Server};
use rhumb::publish::Publisher;
use rhumb::respond::{Meta, Scratch, Transport, respond};
use rhumb::snapshot::{Parts, Signatures, Snapshot, Views};
use rhumb::stats::Stats;
use rhumb_dnssec::{Algorithm, Key, Shared, ZoneKeys};
use rhumb_geo::{Database, Gazetteer, PlaceTable};
use rhumb_health::Status;
use rhumb_policies::{Inputs, State, World, advance};
use rhumb_zones::{Files, LoadOptions, Model, ReadError, Source, Zone};

/// Long enough for a loaded machine, short enough to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The time of questions asked in process, seconds since 1970.
const NOW: u32 = 1_800_000_000;

/// How long silence must last to be believed.
const SILENCE: Duration = Duration::from_millis(200);

pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("testdata").join(path)
}

/// A running server and a way to ask it without sockets.
pub(crate) struct Lab {
    snapshot: Arc<Snapshot>,
    scratch: Scratch,
    stats: Stats,
    address: SocketAddr,
    udp: UdpSocket,
    clients: Clients,
    _running: Running,
}

/// A packet asked in process.
pub(crate) struct Asked<'a> {
    pub(crate) packet: &'a [u8],
    pub(crate) from: IpAddr,
    pub(crate) draw: u64,
}

impl Lab {
    pub(crate) fn start(policy: &Path) -> Self {
        Self::start_with(policy, Vec::new())
    }

    /// With geo databases instead of the embedded table.
    pub(crate) fn start_with(policy: &Path, databases: Vec<Vec<u8>>) -> Self {
        Self::serve(load(policy, databases), "127.0.0.1:0")
    }

    /// On another address than loopback's first.
    pub(crate) fn listening(policy: &Path, listen: &str) -> Self {
        Self::serve(load(policy, Vec::new()), listen)
    }

    /// As `options` say.
    pub(crate) fn with(policy: &Path, options: &NetOptions) -> Self {
        Self::run(load(policy, Vec::new()), options)
    }

    fn serve(snapshot: Snapshot, listen: &str) -> Self {
        let usual = NetOptions::new(vec![listen.parse().unwrap()], 1);
        Self::run(snapshot, &NetOptions { encrypted: Some(encrypted()), ..usual })
    }

    fn run(snapshot: Snapshot, options: &NetOptions) -> Self {
        let (publisher, stats) = (Publisher::new(snapshot), Stats::default());
        let server = Server::bind(options, &publisher, &stats).unwrap();
        let address = server.addresses()[0];
        let clients = Clients::new(server.encrypted_addresses());
        let running = server.run().unwrap();
        let udp = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).unwrap();
        udp.connect(address).unwrap();
        let scratch = Scratch::new(stats.block());
        Self { snapshot: publisher.current(), scratch, stats, address, udp, clients, _running: running }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    pub(crate) fn totals(&self) -> Vec<(&'static str, u64)> {
        self.stats.totals().pairs()
    }

    pub(crate) fn in_process(&mut self, asked: &Asked<'_>, transport: Transport) -> Option<Vec<u8>> {
        let meta =
            Meta { source: asked.from, local: None, transport, idle: None, now: NOW, draw: asked.draw };
        let mut out = vec![0; 65_535];
        let length = respond(&self.snapshot, &mut self.scratch, (asked.packet, &meta), &mut out)?;
        out.truncate(length);
        Some(out)
    }

    pub(crate) fn over_udp(&self, packet: &[u8], answer_expected: bool) -> Option<Vec<u8>> {
        self.udp.set_read_timeout(Some(if answer_expected { PATIENCE } else { SILENCE })).unwrap();
        self.udp.send(packet).unwrap();
        let mut reply = vec![0; 65_535];
        match self.udp.recv(&mut reply) {
            Ok(length) => {
                reply.truncate(length);
                Some(reply)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("receive: {error}"),
        }
    }

    pub(crate) fn over_tcp(&self, packet: &[u8]) -> Option<Vec<u8>> {
        self.raw_tcp(&framed(packet))
    }

    /// Sends these octets and nothing more; the first message that comes back.
    pub(crate) fn raw_tcp(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(octets).unwrap();
        // A server that has read enough may have closed its side already.
        let _ = stream.shutdown(Shutdown::Write);
        read_message(&mut stream)
    }
}

/// A message with its length before it, as streams carry it.
pub(crate) fn framed(packet: &[u8]) -> Vec<u8> {
    [&u16::try_from(packet.len()).unwrap().to_be_bytes()[..], packet].concat()
}

/// The next message of a stream; nothing when it ends.
pub(crate) fn read_message(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            return None;
        }
        Err(error) => panic!("receive: {error}"),
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    Some(message)
}

/// The world of one policy file, with nothing probed.
fn load(policy: &Path, databases: Vec<Vec<u8>>) -> Snapshot {
    let path: Arc<str> = policy.to_str().unwrap().into();
    let source = Source { bytes: std::fs::read(policy).unwrap(), path };
    let loaded = rhumb_zones::load(&[source], &Disk, &LoadOptions::default());
    assert!(!loaded.diagnostics.refuse(), "{}", loaded.diagnostics);
    let (world, diagnostics) = World::compile(loaded.model, &rhumb_zones::NoFiles);
    assert!(!diagnostics.refuse(), "{diagnostics}");
    let carriers = world.model().carriers();
    let databases = databases.into_iter().map(|bytes| Database::open("a database", bytes).unwrap()).collect();
    let places = PlaceTable::new(Arc::new(Gazetteer::new(databases)), carriers, world.operator_prefixes());
    let atlas = rhumb_policies::Atlas::survey(&world, &places).unwrap();
    let inputs = Inputs::new(world.model(), Status::Unknown);
    let state = advance(&world, &State::default(), &inputs, Duration::ZERO);
    let serials = world.model().zones().iter().map(|_| 7).collect();
    let views = Arc::new(Views::of(&world, &atlas));
    let (world, places, atlas, state) = (Arc::new(world), Arc::new(places), Arc::new(atlas), Arc::new(state));
    let signatures = Signatures::of(world.model(), keys(world.model()), &Arc::new(Shared::new(0, 0)));
    let options = Arc::default();
    Snapshot::compile(Parts {
        world,
        places,
        atlas,
        state,
        views,
        serials,
        assigned: 0,
        signatures,
        generation: 1,
        options,
    })
    .unwrap()
}

/// A new key for every signed zone.
fn keys(model: &Model) -> Vec<Option<Arc<ZoneKeys>>> {
    let key = |zone: &Zone| {
        let mut key = Key::generate(zone.name.clone(), Algorithm::EcdsaP256, true, NOW).unwrap();
        key.times.publish = Some(0);
        key.times.activate = Some(0);
        key.times.sync_publish = Some(0);
        Arc::new(ZoneKeys::at(&[key], NOW))
    };
    model.zones().iter().map(|zone| zone.dnssec.as_ref().map(|_| key(zone))).collect()
}

struct Disk;
impl Files for Disk {
    fn read(&self, from: &str, path: &str) -> Result<(String, Vec<u8>), ReadError> {
        let path = Path::new(from).parent().unwrap().join(path);
        let bytes = std::fs::read(&path).map_err(|error| ReadError(error.to_string()))?;
        Ok((path.to_str().unwrap().to_owned(), bytes))
    }
}

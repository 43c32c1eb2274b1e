//! How the server runs: flags, and the same words in a file.
//!
//! [`Flags`] and [`ConfigFile`] are two ways to say one thing; [`Config`] is
//! what they amount to, with every default filled in, and the only one that
//! the rest of the program sees. A flag replaces the file's word for the same
//! thing; it never adds to it. Paths in the file are relative to the file,
//! those of flags to the working directory.
//!
//! What is steered where is no configuration: that is the policy's.

mod encrypted;
pub mod guard;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_health::roster::NO_SITE;
use rhumb_zones::{Diagnostics, Named, OneOrMany, Prefix, Read, Reader, Tree, spec};
use serde_json::{Value as Json, json};

use crate::admin;
use crate::alarm::Webhook;
use crate::keys::KeySource;
use crate::load::Sources;
use crate::net::{Limits, NetOptions};
use crate::observe::Watching;
use crate::snapshot::Options;
use crate::tsig::{SecretError, TsigKey};
use crate::votes::{self, VotesKeys};
use guard::{CookieKeys, DnstapKeys, QueryLogKeys, RateLimitKeys};

pub use encrypted::{EncryptedFlags, EncryptedKeys, UrlPath};

/// What `rhumb serve` may be told on its command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Policy files, and directories of *.yaml and *.yml files
    #[arg(value_name = "PATH")]
    pub policies: Vec<PathBuf>,
    /// Address and port to answer on, over UDP and TCP; may be repeated [default: port 53 everywhere]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<SocketAddr>,
    /// MaxMind database of places or networks; may be repeated [default: an embedded table of countries]
    #[arg(long, value_name = "FILE")]
    pub geo: Vec<PathBuf>,
    /// UDP threads per address [default: one per core]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroU16>,
    /// Unix socket for commands such as `status` [default: one per user]
    #[arg(long, value_name = "PATH")]
    pub admin: Option<PathBuf>,
    /// Directory for what must survive a restart: SOA serials, verdicts, overrides
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Directory for the keys of signed zones [default: keys in the --state directory]
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Name of the place it probes from: a datacenter's, when it stands inside [default: none]
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// User to become once every port is open; needs root
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Encrypted transports.
    #[command(flatten)]
    pub encrypted: EncryptedFlags,
    /// Configuration file: the same words, as YAML
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

spec! {
    /// The server's configuration: what its flags say, and what they do not.
    pub struct ConfigFile {
        /// Policy files, and directories of them.
        policies: Option<OneOrMany<String>>,
        /// Addresses to answer on, as ADDRESS:PORT, over UDP and TCP.
        listen: Option<OneOrMany<Endpoint>>,
        /// MaxMind databases of places or networks.
        geo: Option<OneOrMany<String>>,
        /// UDP threads per address.
        workers: Option<NonZeroU16>,
        /// Unix socket for commands such as `status`.
        admin: Option<String>,
        /// Directory for what must survive a restart: SOA serials, verdicts, overrides.
        state: Option<String>,
        /// Directory for the keys of signed zones; `keys` in the state directory unless given.
        keys: Option<String>,
        /// Name of the place it probes from: a datacenter's, when it stands inside.
        site: Option<String>,
        /// User to become once every port is open.
        user: Option<String>,
        /// Encrypted transports.
        tls: Option<EncryptedKeys>,
        /// Proxies: who must send PROXY headers over UDP, TCP and TLS.
        proxy_from: Vec<Prefix>,
        /// Connections at once of each kind of stream.
        connections: Option<NonZeroU16>,
        /// Those of one IPv4 address or IPv6 /64.
        connections_per_source: Option<NonZeroU16>,
        /// Largest UDP reply in octets, 512 to 4096.
        udp_size: UdpSize = UdpSize(Options::UDP_SIZE),
        /// The same for clients that prove their address by no cookie; as udp-size unless given.
        udp_size_without_cookie: Option<UdpSize>,
        /// DNS cookies.
        cookies: Option<CookieKeys>,
        /// How answers over UDP are limited; not unless given.
        rate_limit: Option<RateLimitKeys>,
        /// A log of queries.
        query_log: Option<QueryLogKeys>,
        /// Queries and replies as dnstap.
        dnstap: Option<DnstapKeys>,
        /// What version.bind says; `off` refuses it.
        version: Option<Shown>,
        /// What id.server and NSID say; off unless given.
        identity: Option<Shown>,
        /// Who may ask _why; loopback unless given.
        why_from: Option<Vec<Prefix>>,
        /// Secrets shared with other servers, by name (TSIG).
        tsig: Named<TsigKey>,
        /// Who may ask in class CHAOS, such as for version.bind; all unless given.
        chaos_from: Option<Vec<Prefix>>,
        /// Resolvers whose Client Subnet is believed; all unless given.
        client_subnet_from: Option<Vec<Prefix>>,
        /// Who is told of alarms.
        alarms: Vec<Webhook>,
        /// How votes are exchanged with other sites.
        votes: Option<VotesKeys>,
    }
}

/// Everything that was said, defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// What to serve.
    pub sources: Sources,
    /// Where to answer.
    pub net: NetOptions,
    /// The admin socket.
    pub admin: PathBuf,
    /// User to become once everything is bound.
    pub user: Option<String>,
    /// Where to keep what must survive a restart.
    pub state: Option<PathBuf>,
    /// Presentation and trust.
    pub options: Arc<Options>,
    /// The site of this process, if it has one.
    pub site: Option<Arc<str>>,
    /// How votes are exchanged, if they are.
    pub votes: Option<votes::Settings>,
    /// Whom events are told, besides the log.
    pub alarms: Vec<Webhook>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is wrong.
    #[error("the configuration is wrong\n{0}")]
    Wrong(Diagnostics),
    /// A secret cannot be made.
    #[error("the system gives no random octets")]
    Random(#[source] std::io::Error),
    /// A key is none.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// There is nothing to serve.
    #[error(
        "no policy given: name files or directories, or list them under `policies:` in the --config file"
    )]
    NoPolicy,
    /// Encrypted queries need a certificate.
    #[error(
        "DNS over TLS, HTTPS and QUIC need --certificate and --key, or both under `tls:` in the --config file"
    )]
    NoCertificate,
}

impl Config {
    /// The port of the DNS (RFC 1035 §4.2).
    pub const PORT: u16 = 53;

    /// Merges `flags` with the file they name.
    ///
    /// # Errors
    /// When the file is unreadable or wrong, or nobody names a policy.
    pub fn new(flags: Flags) -> Result<Self, ConfigError> {
        let Flags { policies, listen, geo, workers, admin, state, keys, site, user, encrypted, config } =
            flags;
        let file = config.as_deref().map(read).transpose()?.unwrap_or_default();
        let base = config.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
        let either = |flags: Vec<PathBuf>, file: Option<OneOrMany<String>>| match file {
            Some(file) if flags.is_empty() => file.0.iter().map(|path| base.join(path)).collect(),
            _ => flags,
        };
        let policies = either(policies, file.policies);
        if policies.is_empty() {
            return Err(ConfigError::NoPolicy);
        }
        let listen = match file.listen {
            Some(file) if listen.is_empty() => file.0.into_iter().map(|Endpoint(address)| address).collect(),
            _ if listen.is_empty() => everywhere(),
            _ => listen,
        };
        let workers = workers.or(file.workers).map_or_else(cores, |workers| usize::from(workers.get()));
        let defaults = Options::default();
        let identity = file.identity.and_then(|Shown(text)| text);
        let (cookie_secrets, cookies) =
            CookieKeys::settings(file.cookies, base).map_err(ConfigError::Random)?;
        let tsig = file.tsig.iter().map(|(name, key)| key.key(name, base)).collect::<Result<_, _>>()?;
        let site: Option<Arc<str>> = site.or(file.site).map(Arc::from);
        let own_site = site.clone().unwrap_or_else(|| Arc::from(NO_SITE));
        let state = state.or_else(|| Some(base.join(file.state?)));
        let keys = keys.or_else(|| Some(base.join(file.keys?)));
        let keys = KeySource::of_server(keys, state.as_deref());
        Ok(Self {
            sources: Sources {
                policies,
                geo: either(geo, file.geo),
                keys,
                cookie_secrets,
                embedded: Vec::new(),
            },
            net: NetOptions {
                limits: limits(file.connections, file.connections_per_source),
                encrypted: encrypted::merge(encrypted, file.tls, base)?,
                proxies: file.proxy_from,
                rates: file.rate_limit.map(RateLimitKeys::settings),
                watching: Watching {
                    log: file.query_log.map(|keys| keys.settings(base)),
                    dnstap: file.dnstap.map(|keys| keys.settings(base)),
                    identity: identity.clone(),
                },
                ..NetOptions::new(listen, workers)
            },
            user: user.or(file.user),
            admin: admin.or_else(|| Some(base.join(file.admin?))).unwrap_or_else(admin::default_path),
            votes: file.votes.map(|keys| keys.settings(own_site, base)),
            site,
            state,
            options: Arc::new(Options {
                udp_size: file.udp_size.0,
                udp_size_without_cookie: file.udp_size_without_cookie.unwrap_or(file.udp_size).0,
                cookies,
                version: file.version.map_or(defaults.version, |Shown(text)| text),
                identity,
                why_from: file.why_from.unwrap_or(defaults.why_from),
                tsig,
                chaos_from: file.chaos_from,
                client_subnet_from: file.client_subnet_from,
            }),
            alarms: file.alarms,
        })
    }
}

impl Default for ConfigFile {
    fn default() -> Self {
        parse(Path::new(""), b"{}").expect("no key of the configuration must be given")
    }
}

/// What streams may take, as usual where nobody says.
fn limits(connections: Option<NonZeroU16>, per_source: Option<NonZeroU16>) -> Limits {
    let or = |given: Option<NonZeroU16>, usual| given.map_or(usual, |given| usize::from(given.get()));
    Limits {
        connections: or(connections, Limits::CONNECTIONS),
        per_source: or(per_source, Limits::PER_SOURCE),
        ..Limits::default()
    }
}

/// UDP threads where nobody says: one per core.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Every address of each family that this machine has.
fn everywhere() -> Vec<SocketAddr> {
    let families = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
    let here = |family: &IpAddr| std::net::UdpSocket::bind((*family, 0)).is_ok();
    families.into_iter().filter(here).map(|family| SocketAddr::new(family, Config::PORT)).collect()
}

fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
    let bytes = std::fs::read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(path, &bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<ConfigFile, ConfigError> {
    let mut out = Diagnostics::default();
    let trees = Tree::parse(&Arc::from(path.to_string_lossy()), bytes, &mut out);
    let mut files = trees.iter().filter_map(|tree| rhumb_zones::read(tree, ["configuration", ""], &mut out));
    let first = files.next();
    drop(files);
    if let Some(second) = trees.get(1) {
        out.error(&second.at, "configuration", "document", "must be the only one of its file");
    }
    match first {
        Some(file) if !out.refuse() => Ok(file),
        None if trees.is_empty() && !out.refuse() => Ok(ConfigFile::default()),
        _ => Err(ConfigError::Wrong(out)),
    }
}

/// `ADDRESS:PORT`, a v6 address in brackets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoint(pub SocketAddr);

impl Read for Endpoint {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let address = tree.text().and_then(|text| text.parse().ok());
        address.map(Self).or_else(|| reader.must_be(tree, "ADDRESS:PORT, such as 0.0.0.0:53 or \"[::]:53\""))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// Octets in a UDP reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpSize(pub u16);

impl Read for UdpSize {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let size = u16::read(tree, reader)?;
        if (512..=4096).contains(&size) { Some(Self(size)) } else { reader.must_be(tree, "512 to 4096") }
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 512, "maximum": 4096 })
    }
}

/// A text shown to whoever asks, or `off`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown(pub Option<String>);

impl Read for Shown {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        /// One character-string (RFC 1035 §3.3).
        const MAX: usize = 255;
        match String::read(tree, reader)? {
            text if text == "off" => Some(Self(None)),
            text if text.len() <= MAX => Some(Self(Some(text))),
            _ => reader.must_be(tree, "at most 255 octets"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "maxLength": 255 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration as one line, or the last line of why there is none.
    fn merge(arguments: &[&str], file: &str) -> String {
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            flags: Flags,
        }
        let path = std::env::temp_dir().join(format!("rhumb-config-{}.yaml", std::process::id()));
        std::fs::write(&path, file).expect("written");
        let Command { mut flags } = clap::Parser::parse_from([&["rhumb"], arguments].concat());
        flags.config = Some(path.clone());
        let config = Config::new(flags);
        let _ = std::fs::remove_file(&path);
        let directory = std::env::temp_dir().display().to_string();
        match config {
            Ok(Config { sources, net: NetOptions { listen, workers, .. }, options, alarms, .. }) => {
                let Sources { policies, geo, .. } = sources;
                let Options { udp_size, version, identity, .. } = &*options;
                let line =
                    format!("{policies:?} {geo:?} {listen:?} {workers} {udp_size} {version:?} {identity:?}");
                let line = alarms.iter().fold(line, |line, alarm| format!("{line} {alarm:?}"));
                line.replace(&format!("{directory}/"), "DIR/")
            }
            Err(error) => error.to_string().replace(&format!("{}", path.display()), "F"),
        }
    }

    #[test]
    fn flags_and_file_merge() {
        let rows: [(&[&str], &str, &str, &str); 9] = [
            (
                &[],
                "{policies: [a, /b], geo: g.mmdb, listen: '[::1]:5300', workers: 3, version: off, identity: ns1}",
                r#"["DIR/a", "/b"] ["DIR/g.mmdb"] [[::1]:5300] 3 1232 None Some("ns1")"#,
                "the file alone, its paths relative to it",
            ),
            (
                &["p", "--listen", "127.0.0.1:0", "--geo", "x", "--workers", "1"],
                "{policies: [a, /b], geo: g.mmdb, listen: '[::1]:5300', workers: 3, version: mine, udp-size: 4096}",
                r#"["p"] ["x"] [127.0.0.1:0] 1 4096 Some("mine") None"#,
                "flags replace, and do not add",
            ),
            (
                &["--listen", "127.0.0.1:0"],
                "workers: 2",
                "no policy given: name files or directories, or list them under `policies:` in the --config file",
                "nothing to serve",
            ),
            (
                &["p"],
                "{listen: [53], udp-size: 100}",
                "the configuration is wrong\n\
                 F:1:11: configuration: listen.0: must be ADDRESS:PORT, such as 0.0.0.0:53 or \"[::]:53\", not 53\n\
                 F:1:26: configuration: udp-size: must be 512 to 4096, not 100\n",
                "all mistakes at once",
            ),
            (
                &["p", "--listen", "127.0.0.1:0", "--workers", "1"],
                "{alarms: [{alertmanager: 'http://a:9093'}, {webhook: 'https://[::1]/secret'}], version: off}",
                r#"["p"] [] [127.0.0.1:0] 1 1232 None None Alertmanager(Url(a:9093)) Plain(Url([::1]))"#,
                "who is told of alarms; what may be secret is not shown",
            ),
            (
                &["p"],
                "alarms: [{webhook: 'ftp://a'}, {webhook: 'http://u:p@a/'}, {}]",
                "the configuration is wrong\n\
                 F:1:20: configuration: alarms.0.webhook: must be a URL such as http://alerts.example.com:9093, without a user, not \"ftp://a\"\n\
                 F:1:42: configuration: alarms.1.webhook: must be a URL such as http://alerts.example.com:9093, without a user, not \"http://u:p@a/\"\n\
                 F:1:60: configuration: alarms.2: must have either alertmanager or webhook\n",
                "no receivers",
            ),
            (
                &["p"],
                "{chaos-from: [x], client-subnet-from: [192.0.2.1/24], cookies: {secret: s}}",
                "the configuration is wrong\n\
                 F:1:65: configuration: cookies.secret: is not a key that this place knows\n    \
                 hint: did you mean \"secrets\"?\n\
                 F:1:15: configuration: chaos-from.0: must start with an IPv4 or IPv6 address\n\
                 F:1:40: configuration: client-subnet-from.0: has bits set beyond its length; did you mean 192.0.2.0/24?\n",
                "mistakes against abuse",
            ),
            (
                &["p"],
                "lisen: 127.0.0.1:53",
                "the configuration is wrong\n\
                 F:1:1: configuration: lisen: is not a key that this place knows\n    \
                 hint: did you mean \"listen\"?\n",
                "a slip",
            ),
            (
                &["p"],
                "workers: 1\n---\nworkers: 2",
                "the configuration is wrong\nF:3:1: configuration: document: must be the only one of its file\n",
                "which one would count?",
            ),
        ];
        for (arguments, file, want, why) in rows {
            assert_eq!(merge(arguments, file), want, "{why}");
        }
    }
}

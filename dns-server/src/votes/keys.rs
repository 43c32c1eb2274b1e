//! The words of the configuration for votes.

use std::path::Path;
use std::sync::Arc;

use rhumb_zones::{OneOrMany, Read, Reader, Tree, spec};
use serde_json::{Value as Json, json};

use super::{Identity, NoPeer, Peer, Settings};
use crate::config::Endpoint;

spec! {
    /// How votes are exchanged with other sites.
    pub struct VotesKeys {
        /// Where votes of other sites are heard, as ADDRESS:PORT.
        listen: Option<Endpoint>,
        /// Servers that hear the votes of this one, as HOST:PORT.
        to: Option<OneOrMany<Peer>>,
        /// Name of this process among the probers of its site; the host's unless given.
        prober: Option<String>,
        /// Certificates of the authority that sites are verified against, PEM.
        ca: String,
        /// Certificate of this process, for its host's name and its site's, PEM.
        cert: String,
        /// Private key of the certificate, PEM.
        key: String,
    }
}

impl VotesKeys {
    /// What they say for a process at `site`; paths are relative to `base`.
    #[must_use]
    pub fn settings(self, site: Arc<str>, base: &Path) -> Settings {
        let Self { listen, to, prober, ca, cert, key } = self;
        Settings {
            site,
            prober: prober.map(Arc::from),
            listen: listen.map(|Endpoint(address)| address),
            to: to.map(|OneOrMany(to)| to).unwrap_or_default(),
            identity: Identity { ca: base.join(ca), cert: base.join(cert), key: base.join(key) },
        }
    }
}

impl Read for Peer {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let peer = tree.text().and_then(|text| text.parse().ok());
        let wanted = NoPeer.to_string();
        peer.or_else(|| reader.must_be(tree, wanted.trim_start_matches("must be ")))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

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

#[cfg(test)]
mod tests {
    use rhumb_zones::Diagnostics;

    use super::*;

    /// What the keys amount to, or what is wrong with them.
    fn read(text: &str) -> String {
        let mut out = Diagnostics::default();
        let trees = Tree::parse(&Arc::from("F"), text.as_bytes(), &mut out);
        let keys = rhumb_zones::read(&trees[0], ["configuration", "votes"], &mut out);
        match keys.map(|keys: VotesKeys| keys.settings(Arc::from("north"), Path::new("/etc/rhumb"))) {
            Some(Settings { site, prober, listen, to, identity }) if !out.refuse() => {
                let to: Vec<_> = to.iter().map(ToString::to_string).collect();
                let Identity { ca, cert, key } = identity;
                let files = [ca, cert, key].map(|path| path.display().to_string());
                format!("{site} {prober:?} {listen:?} {} {}", to.join(" "), files.join(" "))
            }
            _ => {
                out.sort();
                out.to_string()
            }
        }
    }

    #[test]
    fn keys_and_settings() {
        let rows = [
            (
                "{ca: ca.pem, cert: /c.pem, key: k.pem, listen: '[::]:5353'}",
                "north None Some([::]:5353)  /etc/rhumb/ca.pem /c.pem /etc/rhumb/k.pem",
                "one that hears; paths are relative to the file",
            ),
            (
                "{ca: c, cert: c, key: k, to: [ns1.example.com:5353, '[2001:db8::1]:5353'], prober: p}",
                "north Some(\"p\") None ns1.example.com:5353 [2001:db8::1]:5353 /etc/rhumb/c /etc/rhumb/c /etc/rhumb/k",
                "one that votes",
            ),
            (
                "{ca: c, cert: c, to: ns1.example.com}",
                "F:1:1: configuration: votes.key: must be given\n\
                 F:1:22: configuration: votes.to: must be HOST:PORT, such as ns1.example.com:853, 192.0.2.53:853 or \
                 [2001:db8::53]:853, not ns1.example.com\n",
                "all mistakes at once",
            ),
        ];
        for (text, want, why) in rows {
            assert_eq!(read(text), want, "{why}");
        }
    }
}

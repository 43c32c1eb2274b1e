//! Where a receiver is.
//!
//! Secrets of webhooks stand in their paths, so a URL is never shown whole:
//! not in logs, and not by `Debug`.

use std::fmt;

use hyper::Uri;
use rhumb_zones::{Read, Reader, Tree};
use serde_json::{Value as Json, json};

/// An `http` or `https` URL (RFC 9110 §4.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    pub(super) uri: Uri,
    pub(super) is_tls: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Url {
    /// The URL written so; nothing when it is no `http` or `https` URL with a
    /// host. User names are refused: they would be sent to nobody.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        if uri.authority()?.as_str().contains('@') {
            return None;
        }
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { uri, is_tls, host, port })
    }

    /// Host and port, for logs.
    pub(super) fn receiver(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Path and query, with `more` after the path.
    pub(super) fn path_with(&self, more: &str) -> String {
        let path = self.uri.path();
        if more.is_empty() {
            return self.uri.path_and_query().map_or(path, |both| both.as_str()).to_owned();
        }
        format!("{}{more}", path.trim_end_matches('/'))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.receiver())
    }
}

impl Read for Url {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let url = tree.text().and_then(|text| Self::parse(text));
        url.or_else(|| reader.must_be(tree, "a URL such as http://alerts.example.com:9093, without a user"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^https?://" })
    }
}

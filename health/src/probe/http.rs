//! HTTP and HTTPS requests.
//!
//! The main argument is a path asked of the target's own address, or a URL,
//! whose host is asked for (Host and SNI) but not looked up: the question is
//! whether *this* address serves that name.
//!
//! The certificate is not verified unless asked: one that expires must not
//! take down every address of a service at once. `tls` probes are for that.

mod exchange;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;

use regex_lite::Regex;
use rhumb_zones::serde_json::{Value as Json, json};
use rhumb_zones::{Named, OneOrMany, Read, Reader, Tree, spec};

use self::exchange::Question;
use super::way::{Protocol, Security};
use super::{Kind, Running, Way};
use crate::reply::Failure;

spec! {
    /// Sends an HTTP request and looks at the answer. Redirects are not followed.
    pub struct Http {
        /// A path, or a URL whose host is asked for at the target's address.
        http: Resource,
        /// The port; 443 over TLS, else 80, when not said.
        port: Option<NonZeroU16>,
        /// Whether over TLS.
        tls: Option<bool>,
        /// Another address than the target's.
        address: Option<IpAddr>,
        /// The Host header; the URL's host or the address when not said.
        host: Option<String>,
        /// The name asked for in TLS; the host when not said.
        sni: Option<String>,
        /// Whether the certificate must be valid for that name.
        verify: bool = false,
        /// The method.
        method: Method = Method::Get,
        /// Header fields to send.
        headers: Named<Header>,
        /// Status codes that mean up: 200, 2xx or 200-399.
        status: OneOrMany<Statuses> = OneOrMany(vec![Statuses { first: 200, last: 399 }]),
        /// Text that the body must contain.
        body: Option<String>,
        /// An expression that the body must match.
        regex: Option<Pattern>,
        /// The version of HTTP spoken.
        version: Version = Version::One,
    }
}

impl Kind for Http {
    fn describe(&self) -> String {
        let host = self.host.as_deref().or(match &self.http {
            Resource::Url { host, .. } => Some(host),
            Resource::Path(_) => None,
        });
        let asked = host.map(|host| format!(" as {host}")).unwrap_or_default();
        let scheme = if self.is_tls() { "HTTPS" } else { "HTTP" };
        format!("{scheme} {} {} on port {}{asked}", self.method, self.http.path(), self.port())
    }

    fn needs_target_address(&self) -> bool {
        self.address.is_none()
    }

    fn reports(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, way: &'a Way<'a>) -> Running<'a> {
        Box::pin(async move {
            let to = match way.destination(self.address) {
                Ok(address) => SocketAddr::new(address, self.port()),
                Err(failure) => return failure.into(),
            };
            way.converse(to, async |stream| {
                let authority = self.authority(to);
                let question = Question::new(self, &authority);
                if self.is_tls() {
                    question.ask(way.secure(stream, self.security(&authority)?).await?).await
                } else {
                    question.ask(stream).await
                }
            })
            .await
        })
    }

    fn check(&self, tree: &Tree, reader: &mut Reader<'_>) {
        if matches!(self.http, Resource::Url { .. }) {
            for key in ["port", "tls", "host"] {
                if let Some(value) = tree.get(key) {
                    reader
                        .inside(key, |reader| reader.wrong(&value.at, "must not be given: the URL says it"));
                }
            }
        }
        let is_token =
            |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        for (name, _) in self.headers.iter().filter(|(name, _)| name.text.is_empty() || !is_token(&name.text))
        {
            reader.inside("headers", |reader| reader.wrong(&name.at, "must be the name of a header field"));
        }
    }
}

impl Http {
    /// Whether the request goes over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        match &self.http {
            Resource::Url { tls, .. } => *tls,
            Resource::Path(_) => self.tls.unwrap_or(false),
        }
    }

    /// Host and, where it is not the scheme's own, port (RFC 9110 §7.2).
    fn authority(&self, to: SocketAddr) -> String {
        let host = match (&self.http, &self.host) {
            (Resource::Url { host, .. }, _) => host.to_string(),
            // As it is said.
            (Resource::Path(_), Some(host)) => return host.clone(),
            (Resource::Path(_), None) if to.is_ipv6() => format!("[{}]", to.ip()),
            (Resource::Path(_), None) => to.ip().to_string(),
        };
        let standard = if self.is_tls() { 443 } else { 80 };
        if self.port() == standard { host } else { format!("{host}:{}", self.port()) }
    }

    fn security(&self, authority: &str) -> Result<Security, Failure> {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        Ok(Security {
            name: Security::name(self.sni.as_deref().unwrap_or(host))?,
            is_named: self.verify,
            is_trusted: self.verify,
            left: None,
            protocol: match self.version {
                Version::One => Protocol::Http1,
                Version::Two => Protocol::Http2,
            },
        })
    }

    /// The port asked.
    #[must_use]
    pub fn port(&self) -> u16 {
        let said = match &self.http {
            Resource::Url { port, .. } => *port,
            Resource::Path(_) => self.port,
        };
        let standard = if self.is_tls() { 443 } else { 80 };
        said.map_or(standard, NonZeroU16::get)
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// `/healthz`
    Path(Arc<str>),
    /// `https://www.example.com/healthz`
    Url {
        /// Whether the scheme is https.
        tls: bool,
        /// The host, an IPv6 address in brackets.
        host: Arc<str>,
        /// The port, when not that of the scheme.
        port: Option<NonZeroU16>,
        /// From the first slash, `/` when there is none.
        path: Arc<str>,
    },
}

impl Resource {
    /// The path with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Url { path, .. } => path,
        }
    }

    fn scan(text: &str) -> Option<Self> {
        // Spaces and what is not ASCII must be percent-encoded (RFC 3986 §2).
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        if text.starts_with('/') {
            return Some(Self::Path(text.into()));
        }
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let bracketed = authority.find(']').map_or(0, |end| end + 1);
        let (host, port) = match authority[bracketed..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(bracketed + colon);
                (host, Some(port[1..].parse().ok()?))
            }
            None => (authority, None),
        };
        let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match in_brackets {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            }
        };
        is_host.then(|| Self::Url { tls, host: host.into(), port, path: path.into() })
    }
}

impl Read for Resource {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let resource = tree.text().and_then(|text| Self::scan(text));
        resource.or_else(|| reader.must_be(tree, "a path such as /healthz, or a URL"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(/|https?://)" })
    }
}

/// A method that asks for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// RFC 9110 §9.3.1.
    Get,
    /// RFC 9110 §9.3.2.
    Head,
    /// RFC 9110 §9.3.3, without a body.
    Post,
    /// RFC 9110 §9.3.7.
    Options,
}

impl Method {
    const ALL: [(&'static str, Self); 4] =
        [("GET", Self::Get), ("HEAD", Self::Head), ("POST", Self::Post), ("OPTIONS", Self::Options)];
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Options => "OPTIONS",
        })
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Options => Self::OPTIONS,
        }
    }
}

impl Read for Method {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let found = tree.text().and_then(|text| Self::ALL.iter().find(|(name, _)| **name == **text));
        found.map(|&(_, method)| method).or_else(|| reader.must_be(tree, "GET, HEAD, POST or OPTIONS"))
    }

    fn schema() -> Json {
        json!({ "enum": Self::ALL.map(|(name, _)| name) })
    }
}

/// The value of a header field: one line (RFC 9110 §5.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header(pub Arc<str>);

impl Read for Header {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text() {
            Some(text) if !text.contains(char::is_control) => Some(Self(Arc::clone(text))),
            _ => reader.must_be(tree, "one line of text"),
        }
    }

    fn schema() -> Json {
        String::schema()
    }
}

/// Status codes from the first to the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statuses {
    /// From 100.
    pub first: u16,
    /// To 599.
    pub last: u16,
}

impl Read for Statuses {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let range = tree.text().and_then(|text| match text.strip_suffix("xx") {
            Some(class) => {
                class.parse().ok().and_then(|class: u16| class.checked_mul(100)).map(|n| (n, n + 99))
            }
            None => match text.split_once('-') {
                Some((first, last)) => first.parse().ok().zip(last.parse().ok()),
                None => text.parse().ok().map(|code| (code, code)),
            },
        });
        match range {
            Some((first, last)) if 100 <= first && first <= last && last <= 599 => Some(Self { first, last }),
            _ => reader
                .must_be(tree, "a status from 100 to 599, a class such as 2xx, or a range such as 200-399"),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^([1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$" },
        ]})
    }
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl Read for Pattern {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = tree.text() else { return reader.must_be(tree, "a regular expression") };
        match Regex::new(text) {
            Ok(regex) => Some(Self(regex)),
            Err(error) => reader.must_be(tree, &format!("a regular expression ({error})")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "format": "regex" })
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// HTTP/1.1 (RFC 9112).
    One,
    /// HTTP/2 (RFC 9113), by prior knowledge or ALPN.
    Two,
}

impl Read for Version {
    fn read(tree: &Tree, reader: &mut Reader<'_>) -> Option<Self> {
        match tree.text().map(|text| &**text) {
            Some("1.1") => Some(Self::One),
            Some("2") => Some(Self::Two),
            _ => reader.must_be(tree, "1.1 or 2"),
        }
    }

    fn schema() -> Json {
        json!({ "enum": [1.1, 2, "1.1", "2"] })
    }
}

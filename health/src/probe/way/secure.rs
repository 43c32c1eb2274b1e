//! TLS as a client that wants to know, not to trust.
//!
//! A session is never resumed: a resumed one shows no certificate. The chain is
//! held against the authorities that this machine trusts, only where asked;
//! name and time left are looked at after the handshake, so that each has
//! its own words. Only the leaf's time counts: servers carry along expired
//! authorities that nobody needs.

mod certificate;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{
    Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{Stream, Way, new, remote, wrong};
use crate::clock;
use crate::reply::{Cause, Failure};

/// Application protocol to be agreed on (RFC 7301).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Protocol {
    Any,
    Http1,
    Http2,
}

/// What TLS is to be like.
#[derive(Debug)]
pub(crate) struct Security {
    /// The name to ask for; an address asks for none.
    pub(crate) name: ServerName<'static>,
    /// Whether the certificate must bear it.
    pub(crate) is_named: bool,
    /// Whether it must be from an authority this machine trusts.
    pub(crate) is_trusted: bool,
    /// How long it must still be valid.
    pub(crate) left: Option<Duration>,
    /// What to speak.
    pub(crate) protocol: Protocol,
}

impl Security {
    /// A name as TLS wants it: without brackets and the root's dot.
    ///
    /// # Errors
    /// What is no name cannot be asked for.
    pub(crate) fn name(text: &str) -> Result<ServerName<'static>, Failure> {
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let text = text.strip_suffix('.').unwrap_or(text);
        let name = ServerName::try_from(text.to_owned());
        name.map_err(|_| new(Cause::Local, format!("{text} is no name that TLS can ask for")))
    }

    /// A target without a name.
    pub(crate) fn nameless(address: IpAddr) -> ServerName<'static> {
        ServerName::IpAddress(address.into())
    }
}

/// Settings made so far: one for each of few combinations.
#[derive(Debug, Default)]
pub(super) struct Secure {
    roots: OnceLock<Arc<RootCertStore>>,
    settings: Mutex<HashMap<(bool, Protocol), Arc<ClientConfig>>>,
}

impl Secure {
    fn settings(&self, is_trusted: bool, protocol: Protocol) -> Result<Arc<ClientConfig>, Failure> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = settings.get(&(is_trusted, protocol)) {
            return Ok(Arc::clone(made));
        }
        let roots = is_trusted.then(|| Arc::clone(self.roots.get_or_init(|| Arc::new(trusted()))));
        if roots.as_ref().is_some_and(|roots| roots.is_empty()) {
            return Err(new(Cause::Local, "this machine trusts no authority"));
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Verifier { roots, provider: Arc::clone(&provider) });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has suites for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = match protocol {
            Protocol::Any => Vec::new(),
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        let made = Arc::new(config);
        settings.insert((is_trusted, protocol), Arc::clone(&made));
        Ok(made)
    }
}

/// The authorities of this machine. Those that cannot be read are passed over,
/// as every other program does.
fn trusted() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

impl Way<'_> {
    /// Makes a stream secure, and looks at the certificate.
    pub(crate) async fn secure(
        &self,
        stream: Stream,
        wanted: Security,
    ) -> Result<TlsStream<Stream>, Failure> {
        let settings = self.tools.secure.settings(wanted.is_trusted, wanted.protocol)?;
        let connected = TlsConnector::from(settings).connect(wanted.name.clone(), stream).await;
        let stream = connected.map_err(|error| failed(&error))?;
        let (_, session) = stream.get_ref();
        if wanted.protocol == Protocol::Http2 && session.alpn_protocol() != Some(b"h2") {
            return Err(wrong("it does not speak HTTP/2"));
        }
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let Some(leaf) = leaf else { return Err(wrong("no certificate")) };
        if wanted.is_named {
            let bears =
                ParsedCertificate::try_from(leaf).and_then(|leaf| verify_server_name(&leaf, &wanted.name));
            bears.map_err(|_| wrong(format!("the certificate does not bear {}", wanted.name.to_str())))?;
        }
        if let Some(left) = wanted.left {
            let end = certificate::end(leaf).ok_or_else(|| wrong("the certificate cannot be read"))?;
            check_time(end, left)?;
        }
        Ok(stream)
    }
}

/// Whether a certificate that ends at `end` (Unix seconds) has enough `left`.
fn check_time(end: i64, left: Duration) -> Result<(), Failure> {
    const DAY: i64 = 86_400;
    let now = i64::try_from(clock::now().as_secs()).unwrap_or(i64::MAX);
    let has = end.saturating_sub(now);
    let is_enough = has > 0 && u64::try_from(has).is_ok_and(|has| has >= left.as_secs());
    match has {
        _ if is_enough => Ok(()),
        ..=0 => Err(wrong(format!("the certificate expired {} days ago", -has / DAY))),
        _ => Err(wrong(format!("the certificate expires in {} days", has / DAY))),
    }
}

/// Errors of TLS itself come dressed as errors of the stream.
fn failed(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => wrong(format!("TLS: {error}")),
        None => remote(error, None),
    }
}

/// Verifies the chain where there are roots; without, every certificate will
/// do, and whether its key was used is as little of interest.
#[derive(Debug)]
struct Verifier {
    roots: Option<Arc<RootCertStore>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let algorithms = self.provider.signature_verification_algorithms.all;
            let leaf = ParsedCertificate::try_from(leaf)?;
            verify_server_cert_signed_by_trust_anchor(&leaf, roots, others, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.roots.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.roots.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

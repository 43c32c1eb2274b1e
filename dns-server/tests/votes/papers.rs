//! Certificates of a test's own authority.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rhumb::votes::Identity;

/// Where one test's files are; gone when the test is.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("votes-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.0.join(name), text).unwrap();
        self.0.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Issues certificates.
pub(crate) struct Authority<'s> {
    scratch: &'s Scratch,
    ca: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl<'s> Authority<'s> {
    pub(crate) fn new(scratch: &'s Scratch, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let ca = scratch.write(&format!("{name}.pem"), &issuer.pem());
        Self { scratch, ca, issuer }
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Where a certificate for these names and addresses is.
    pub(crate) fn name(&self, names: &[&str]) -> Identity {
        let stem = format!("{}-{}", self.ca.file_stem().unwrap().display(), names.join("-"));
        let path = |end: &str| self.scratch.0.join(format!("{stem}.{end}"));
        Identity { ca: self.ca.clone(), cert: path("crt"), key: path("key") }
    }

    /// A certificate for these names and addresses, and whom it believes.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(params).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = self.name(names);
        std::fs::write(&identity.cert, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }
}

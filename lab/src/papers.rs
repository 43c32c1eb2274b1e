//! Certificates for votes: an authority of the lab's own, made by `openssl`.
//!
//! The server's is for the addresses that it hears votes at, a site's for the
//! site's name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Done, While as _};
use crate::namespaces::run;
use crate::topology::{HEARING, VOTES_PORT};

/// An authority and what it issued.
pub(crate) struct Papers {
    folder: PathBuf,
    /// The server's configuration that names them.
    pub(crate) configuration: PathBuf,
}

impl Papers {
    /// Issues certificates for the server and for each site.
    pub(crate) fn issue(folder: &Path, sites: &[(&str, String)]) -> Done<Self> {
        let papers = Self { folder: folder.to_owned(), configuration: folder.join("rhumb.yaml") };
        papers.certificate("ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign")?;
        let addresses = HEARING.map(|address| format!("IP:{address}")).join(",");
        papers.certificate("server", &format!("basicConstraints=CA:FALSE\nsubjectAltName={addresses}"))?;
        for (name, _) in sites {
            papers.certificate(name, &format!("basicConstraints=CA:FALSE\nsubjectAltName=DNS:{name}"))?;
        }
        let text = format!(
            "votes: {{ listen: \"0.0.0.0:{VOTES_PORT}\", ca: ca.pem, cert: server.pem, key: server.key }}\n"
        );
        fs::write(&papers.configuration, text).doing(papers.configuration.display())?;
        Ok(papers)
    }

    /// Authority, certificate and key of `name`.
    pub(crate) fn of(&self, name: &str) -> [PathBuf; 3] {
        ["ca.pem".to_owned(), format!("{name}.pem"), format!("{name}.key")].map(|file| self.folder.join(file))
    }

    /// One certificate, by the authority unless it is the authority's own.
    fn certificate(&self, name: &str, extensions: &str) -> Done {
        let text = format!("[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\n{extensions}\n");
        let path = self.folder.join(format!("{name}.cnf"));
        fs::write(&path, text).doing(path.display())?;
        let [authority, certificate, key] = self.of(name).map(|path| path.to_string_lossy().into_owned());
        let authority_key = self.of("ca")[2].to_string_lossy().into_owned();
        let (subject, settings) = (format!("/CN=lab {name}"), path.to_string_lossy().into_owned());
        let mut arguments =
            vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        arguments.extend(["-days", "2", "-subj", &subject, "-config", &settings, "-keyout", &key]);
        if name != "ca" {
            arguments.extend(["-CA", &authority, "-CAkey", &authority_key]);
        }
        arguments.extend(["-out", &certificate]);
        run("openssl", &arguments, "")
    }
}

//! The words of the configuration against abuse.

use std::path::{Path, PathBuf};

use rhumb_zones::spec;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::cookie::{Cookies, Secret};

spec! {
    /// DNS cookies (RFC 7873).
    pub struct CookieKeys {
        /// File of secrets shared with the other servers of the zones, one a line as 32 hexadecimal digits:
        /// the first makes cookies, all are accepted. A random one per process unless given.
        secrets: Option<String>,
        /// Whether UDP without a valid cookie gets no data: BADCOOKIE to who sends one, TC to others.
        require: bool = false,
    }
}

impl CookieKeys {
    /// The file of secrets, and what holds until it is read.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(super) fn settings(self, base: &Path) -> Result<(Option<PathBuf>, Cookies), std::io::Error> {
        let Self { secrets, require } = self;
        let mut key = [0; 16];
        getrandom(&mut key, GetRandomFlags::empty())?;
        Ok((secrets.map(|file| base.join(file)), Cookies::new(vec![Secret::new(key)], require)))
    }
}

impl Default for CookieKeys {
    fn default() -> Self {
        Self { secrets: None, require: false }
    }
}

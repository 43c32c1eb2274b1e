//! From files to a snapshot, without publishing it.

use std::sync::Arc;
use std::time::Duration;

use rhumb_dnssec::Shared;
use rhumb_health::Status;
use rhumb_policies::{Inputs, State, advance};
use rhumb_zones::{Diagnostics, Model, Transfer};

use super::journal;
use crate::cookie::{Cookies, Secret};
use crate::load::{Footprint, Load, Loader};
use crate::net::clock;
use crate::serial::{Also, Serials};
use crate::snapshot::{Options, Parts, Signatures, Snapshot, Views};
use crate::tsig::Keyring;
use crate::zonemd;

/// What every generation is made with.
#[derive(Debug)]
pub(super) struct Builder {
    loader: Loader,
    options: Arc<Options>,
    /// Signatures made so far.
    signed: Arc<Shared>,
}

/// A snapshot to publish, and what an operator should know all the same.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) snapshot: Snapshot,
    pub(super) warnings: Vec<String>,
}

impl Builder {
    pub(super) fn new(loader: Loader, options: Arc<Options>) -> Self {
        Self { loader, options, signed: Arc::new(Shared::new(0, 0)) }
    }

    /// The options of a generation: those of the start, with the secrets read.
    fn options(&self, secrets: Option<Vec<Secret>>) -> Arc<Options> {
        let Some(secrets) = secrets else { return Arc::clone(&self.options) };
        let cookies = Cookies::new(secrets, self.options.cookies.require);
        Arc::new(Options { cookies, ..Options::clone(&self.options) })
    }

    /// Reads the files: what they were, and what came of them or is wrong.
    pub(super) fn build(
        &mut self,
        serials: &mut Serials,
        generation: u64,
    ) -> (Footprint, Result<Built, Vec<String>>) {
        let Load { loaded, diagnostics, footprint } = self.loader.load();
        let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        let Some(loaded) = loaded else { return (footprint, Err(said)) };
        let model = loaded.world.model();
        let unknown = unknown_keys(model, &self.options.tsig);
        if unknown.refuse() {
            return (footprint, Err(unknown.iter().map(ToString::to_string).collect()));
        }
        // Nothing is probed yet: every target is as its `assume:` says.
        let inputs = Inputs::new(model, Status::Unknown);
        let mut state =
            advance(&loaded.world, &State::default(), &inputs, Duration::from_secs(journal::now()));
        state.select(&loaded.world, &loaded.atlas, &inputs);
        let signatures = Signatures::of(model, loaded.keys, &self.signed);
        self.signed = Arc::clone(&signatures.shared);
        let mut views = Views::of(&loaded.world, &loaded.atlas);
        let also = Also { views: &views, keys: &signatures.keys, now: clock() };
        let (assigned, serials) = (also.now, serials.assign((model, &also), footprint.newest()));
        zonemd::make(model, &serials, &mut views);
        let parts = Parts {
            assigned,
            serials,
            views: Arc::new(views),
            world: loaded.world,
            places: loaded.places,
            atlas: loaded.atlas,
            state: Arc::new(state),
            generation,
            signatures,
            options: self.options(loaded.cookie_secrets),
        };
        let built = Snapshot::compile(parts).map(|snapshot| Built { snapshot, warnings: said });
        (footprint, built.map_err(|error| vec![error.to_string()]))
    }
}

/// Keys of `transfer:` that the server's configuration lacks.
fn unknown_keys(model: &Model, keyring: &Keyring) -> Diagnostics {
    let mut out = Diagnostics::default();
    for zone in model.zones() {
        let Some(Transfer { location, keys, .. }) = &zone.transfer else { continue };
        for key in keys.iter().filter(|key| keyring.lacks(key)) {
            let what = format!("{key} must be a key of the server's configuration, under tsig");
            out.error(location, &format!("zone {}", zone.name), "transfer.keys", what);
        }
    }
    out
}

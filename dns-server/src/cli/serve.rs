//! `rhumb serve`.

use super::{Ending, Failure, complain, print};
use crate::config::{Config, Flags};
use crate::serve::{Ready, ServeError, serve};

pub(super) fn run(flags: Flags) -> Result<Ending, Failure> {
    until_stopped(Config::new(flags)?, |ready| {
        for address in ready.listen {
            print(&format_args!("listening on {address}"))?;
        }
        for (how, address) in ready.encrypted {
            print(&format_args!("listening on {how}://{address}"))?;
        }
        print(&format_args!("admin socket {}", ready.admin.display()))?;
        match ready.votes {
            Some(address) => print(&format_args!("votes heard on {address}")),
            None => Ok(()),
        }
    })
}

/// Serves; `announce` says where.
pub(super) fn until_stopped(
    config: Config,
    announce: impl FnOnce(&Ready<'_>) -> Result<(), Failure>,
) -> Result<Ending, Failure> {
    let ready = |ready: &Ready<'_>| {
        if let Err(error) = announce(ready) {
            complain(&format_args!("rhumb: nowhere to say what is served: {error}"));
        }
    };
    match serve(config, ready) {
        Ok(()) => Ok(Ending::Well),
        Err(ServeError::Policy(diagnostics)) => {
            diagnostics.iter().for_each(|diagnostic| complain(diagnostic));
            Ok(Ending::Bad)
        }
        Err(error) => Err(error.into()),
    }
}

//! Names as operators type them: `www` for a service's full name, `north`
//! for `datacenter:north`.
//!
//! Commands, policy tests and the admin socket resolve them here, against the
//! model that is asked about, so that they accept and suggest the same.

use std::fmt;
use std::sync::Arc;

use rhumb_zones::{Model, Name, TargetId, TargetName, did_you_mean};

/// Why a text names nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unknown {
    /// What must hold.
    pub what: String,
    /// What may have been meant.
    pub hint: Option<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Unknown {}

/// The domain name `text`: absolute with a final dot or within a served zone;
/// else relative to the zone that has such a service, or to the only zone.
///
/// # Errors
/// When it is no name, or several zones could be meant.
pub fn owner(model: &Model, text: &str) -> Result<Name, Unknown> {
    let unknown = |what: String, hint| Unknown { what, hint };
    let absolute = Name::scan_absolute(text).map_err(|error| unknown(error.to_string(), None))?;
    if text.ends_with('.') || model.zones().iter().any(|zone| absolute.is_within(&zone.name)) {
        return Ok(absolute);
    }
    let within = |apex| Name::scan(text, apex).ok();
    let all: Vec<Name> = model.zones().iter().filter_map(|zone| within(&zone.name)).collect();
    let is_service = |name: &&Name| model.services().iter().any(|service| service.owner == **name);
    let services: Vec<&Name> = all.iter().filter(is_service).collect();
    match (&services[..], &all[..]) {
        ([one], _) => Ok((*one).clone()),
        ([], [one]) => Ok(one.clone()),
        ([], _) => {
            let owners = model.services().iter().map(|service| &*service.name);
            Err(unknown(
                "must be a full name: no zone has such a service".to_owned(),
                did_you_mean(text, owners),
            ))
        }
        _ => Err(unknown("must be a full name: several zones have such a service".to_owned(), None)),
    }
}

/// The target `text`; a bare name is a datacenter.
///
/// # Errors
/// When no target has that name.
pub fn target(model: &Model, text: &str) -> Result<TargetId, Unknown> {
    let name = match text.contains(':') {
        true => text.parse().map_err(|error| Unknown { what: format!("{error}"), hint: None })?,
        false => TargetName::Datacenter(Arc::from(text)),
    };
    model.target_named(&name).ok_or_else(|| {
        let names: Vec<String> = model.targets().iter().map(|target| target.name.to_string()).collect();
        let below: Vec<&str> =
            names.iter().map(String::as_str).filter(|other| other.starts_with(text)).collect();
        let hint = did_you_mean(&name.to_string(), names.iter().map(String::as_str));
        let hint = hint.or_else(|| (!below.is_empty()).then(|| format!("there is {}", below.join(", "))));
        Unknown { what: format!("{name} is not declared"), hint }
    })
}

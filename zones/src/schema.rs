//! The JSON Schema of a policy document, for editors.
//!
//! It is made from the same declarations that read the files
//! ([`spec!`](crate::spec)), so it cannot lag behind them. Draft 7, because
//! that is what editors' YAML support knows best. What plugins accept is
//! given by the crates that own them and stands under `$defs`, where every
//! `steer:`, `probe:` and `link-selection:` points.
//!
//! The schema says what a file may look like; that names exist and values fit
//! together is for [`load`](crate::load) to say.

use serde_json::{Map, Value as Json, json};

use crate::policy::{document_schema, probe_keys};
use crate::read::KeyInfo;

/// The schema of one document of a policy file: `steering` is that of one
/// step of a chain, `probes` a list of those of each kind's keys, `selectors`
/// that of `link-selection:`.
#[must_use]
pub fn schema(steering: Json, probes: Json, selectors: Json) -> Json {
    let mut schema = document_schema();
    let definitions = json!({
        "steering": steering,
        "probe": probe(probes),
        "link-selection": selectors,
    });
    if let Json::Object(map) = &mut schema {
        map.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
        map.insert("title".into(), "Rhumb policy".into());
        map.insert("$defs".into(), definitions);
    }
    schema
}

/// `check:` and `probe:`: a name, a URL, or the keys of one kind with those
/// that all probes have.
fn probe(kinds: Json) -> Json {
    let common: Map<String, Json> = probe_keys().into_iter().map(KeyInfo::into_property).collect();
    let mut forms = vec![json!({
        "type": "string",
        "description": "The name of one of `checks:`, or a URL that is asked of the target.",
    })];
    let Json::Array(kinds) = kinds else { return json!({ "anyOf": forms }) };
    forms.extend(kinds.into_iter().map(|mut kind| {
        if let Some(Json::Object(keys)) = kind.get_mut("properties") {
            keys.extend(common.clone());
        }
        kind
    }));
    json!({ "anyOf": forms })
}

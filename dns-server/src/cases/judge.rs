//! What was expected against what came out.

use rhumb_zones::{LinkId, Model, Vip, rdata};

use super::spec::Expect;
use crate::ask::Told;

/// One thing that came out otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Difference {
    pub(super) which: &'static str,
    pub(super) expected: String,
    pub(super) got: String,
}

/// Everything that came out otherwise.
pub(super) fn differences(model: &Model, expect: Option<&Expect>, told: &Told) -> Vec<Difference> {
    let Some(expect) = expect else { return Vec::new() };
    let Expect { answers, datacenter, link, ttl, scope, rcode } = expect;
    let first = told.explanation.as_ref().and_then(|why| why.picks.first()).map(|&vip| model.vip(vip));
    let mut found = Vec::new();
    let mut compare = |which, expected: Option<String>, got: Option<String>| {
        if let Some(expected) = expected
            && Some(&expected) != got.as_ref()
        {
            found.push(Difference { which, expected, got: got.unwrap_or_else(|| "nothing".to_owned()) });
        }
    };
    compare("rcode", rcode.map(|rcode| rcode.0.to_string()), Some(told.reply.rcode.to_string()));
    let data = told.reply.answers.iter().map(|record| rdata::display(record.rtype, &record.rdata));
    compare("answers", answers.as_ref().map(|texts| set(texts.iter().cloned())), Some(set(data)));
    let name = |vip: &Vip| model.datacenter(vip.datacenter).name.to_string();
    compare("datacenter", datacenter.as_ref().map(|name| name.value.clone()), first.map(name));
    let name = |link: LinkId| model.link(link).name.to_string();
    compare("link", link.as_ref().map(|name| name.value.clone()), first.and_then(|vip| vip.link).map(name));
    let mut ttls: Vec<u32> = told.reply.answers.iter().map(|record| record.ttl).collect();
    ttls.sort_unstable();
    ttls.dedup();
    let text = ttls.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    compare("ttl", ttl.map(|ttl| ttl.to_string()), (!ttls.is_empty()).then_some(text));
    compare("scope", scope.map(|scope| scope.to_string()), told.reply.scope.map(|scope| scope.to_string()));
    found
}

/// Texts in no order; case, quotes and a final dot do not count.
fn set(texts: impl Iterator<Item = String>) -> String {
    let plain = |text: String| {
        let text = text.to_ascii_lowercase().replace('"', "");
        text.strip_suffix('.').filter(|text| !text.is_empty()).map(str::to_owned).unwrap_or(text)
    };
    let mut texts: Vec<String> = texts.map(plain).collect();
    texts.sort();
    if texts.is_empty() { "no record".to_owned() } else { texts.join(", ") }
}

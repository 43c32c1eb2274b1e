//! `priority`: a fixed order for everyone.
//!
//! `[priority: [north, south]]` puts the named datacenters in that order and
//! all others, tied, after them. Bare `priority` goes by the VIPs'
//! `priority:`, higher first; a datacenter counts with its highest.

use std::sync::Arc;

use rhumb_zones::{DatacenterId, Read, Spanned, Tree, Value};
use serde_json::{Value as Json, json};

use super::{Method, Order, Rank, Step};
use crate::plugin::Context;
use crate::view::View;

pub(super) struct Priority;

impl Method for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn about(&self) -> &'static str {
        "In a fixed order."
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [
            { "type": "null", "description": "By the VIPs' own priority, higher first." },
            Vec::<Arc<str>>::schema(),
        ]})
    }

    fn read(&self, arguments: &Tree, context: &mut Context<'_, '_>) -> Option<Step> {
        if matches!(arguments.value, Value::Null) {
            return Some(Step::Rank(Box::new(ByVip)));
        }
        let names: Vec<Spanned<Arc<str>>> = context.read(arguments)?;
        Some(Step::Rank(Box::new(Listed(context.datacenters(&names)))))
    }
}

#[derive(Debug)]
struct Listed(Vec<DatacenterId>);

impl Rank for Listed {
    fn refine(&self, _: &View<'_>, order: &mut Order<'_>) {
        order.split(|member| position(&self.0, member.id));
    }

    fn reason(&self, _: &View<'_>, datacenter: DatacenterId) -> Option<String> {
        let place = self.0.iter().position(|&listed| listed == datacenter)?;
        Some(format!("number {} by priority", place + 1))
    }
}

/// The place in a list; those not listed come after all others.
pub(super) fn position(list: &[DatacenterId], datacenter: DatacenterId) -> f64 {
    list.iter().position(|&listed| listed == datacenter).unwrap_or(list.len()) as f64
}

#[derive(Debug)]
struct ByVip;

impl Rank for ByVip {
    fn refine(&self, _: &View<'_>, order: &mut Order<'_>) {
        order.split(|member| -f64::from(member.priority));
    }

    fn reason(&self, _: &View<'_>, _: DatacenterId) -> Option<String> {
        Some("by its VIPs' priority".to_owned())
    }
}

//! `rules:`, read as to their shape; the condition's language is not known
//! here.
//!
//! Names are looked up when all else is resolved, because a rule may name
//! anything. Only what an answer is chosen from can be preferred or avoided:
//! datacenters, links and VIPs. Others are refused rather than ignored.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::file::{ApplySpec, RuleSpec};
use super::super::forms::Reference;
use super::Resolver;
use crate::diagnostic::Location;
use crate::ids::{ServiceId, TargetId};
use crate::model::{Rule, RuleAction};
use crate::read::{OneOrMany, Spanned, Ttl};
use crate::target::TargetName;

/// Services by every name that rules may use.
type Services = HashMap<String, ServiceId>;

impl Resolver<'_> {
    pub(super) fn rules(&mut self, specs: Vec<Spanned<RuleSpec>>) {
        let mut first: HashMap<Arc<str>, Location> = HashMap::new();
        let known = self.services_by_name();
        for Spanned { at: location, value } in specs {
            let RuleSpec { name: Spanned { at, value: name }, when, apply } = value;
            let who = format!("rule {name}");
            if let Some(first) = first.insert(Arc::clone(&name), at.clone()) {
                let what = format!("must be declared once in all files; it is also at {first}");
                self.error(&at, [&who, "name"], what);
            }
            let Spanned { at: apply_at, value: apply } = apply;
            let (services, apply) = self.actions(apply, &known, &who);
            if apply.is_empty() {
                self.error(&apply_at, [&who, "apply"], "must do something");
            }
            let Spanned { at: when_at, value: when } = when;
            self.model.rules.push(Rule { name, location, when, when_at, services, apply });
        }
    }

    fn services_by_name(&self) -> Services {
        let services = self.model.services.iter().enumerate();
        let full = services.clone().map(|(id, one)| (one.owner.to_string().to_ascii_lowercase(), id));
        // Keys last: they beat full names.
        full.chain(services.map(|(id, one)| (one.name.to_string(), id)))
            .map(|(name, id)| (name, ServiceId::new(id)))
            .collect()
    }

    fn actions(&mut self, spec: ApplySpec, known: &Services, who: &str) -> (Vec<ServiceId>, Vec<RuleAction>) {
        let ApplySpec { services, only, avoid, prefer, all_to_primary, freeze, answer, ttl } = spec;
        let services =
            services.map_or_else(Vec::new, |OneOrMany(names)| self.rule_services(&names, known, who));
        let mut actions = Vec::new();
        let mut targets = |names: Option<OneOrMany<Reference>>, key: &str, action: fn(_) -> RuleAction| {
            if let Some(OneOrMany(names)) = names {
                actions.push(action(self.rule_targets(&names, [who, key])));
            }
        };
        targets(only, "apply.only", RuleAction::Only);
        targets(avoid, "apply.avoid", RuleAction::Avoid);
        targets(prefer, "apply.prefer", RuleAction::Prefer);
        actions.extend(all_to_primary.then_some(RuleAction::AllToPrimary));
        actions.extend(freeze.then_some(RuleAction::Freeze));
        actions.extend(answer.map(|OneOrMany(addresses)| RuleAction::Answer(addresses)));
        actions.extend(ttl.map(|Ttl(ttl)| RuleAction::Ttl(ttl)));
        (services, actions)
    }

    /// Services by key, by full name, or as `service:www`.
    fn rule_services(&mut self, names: &[Reference], known: &Services, who: &str) -> Vec<ServiceId> {
        let mut ids = Vec::new();
        for Spanned { at, value } in names {
            let name = value.strip_prefix("service:").unwrap_or(value);
            let id = known.get(name).or_else(|| known.get(&name.to_ascii_lowercase()));
            if let Some(&id) = id {
                ids.push(id);
            } else {
                let names = self.model.services.iter().map(|service| &*service.name);
                let hint = self.context.out.suggest(name, names);
                let what = format!("no service is named {name:?}");
                self.context.out.hinted(at, [who, "apply.services"], what, hint);
            }
        }
        ids
    }

    /// Datacenters, by bare name too, links and VIPs.
    fn rule_targets(&mut self, names: &[Reference], who: [&str; 2]) -> Vec<TargetId> {
        let mut ids = Vec::new();
        for reference in names {
            if !reference.value.contains(':') {
                ids.extend(self.datacenter(reference, who).map(|id| self.model.datacenter(id).target));
                continue;
            }
            match reference.value.parse() {
                Ok(name @ (TargetName::Datacenter(_) | TargetName::Link(..) | TargetName::Vip(..))) => {
                    ids.extend(self.named_target(&name, reference, who));
                }
                Ok(_) => self.error(&reference.at, who, "must be a datacenter, a link or a VIP"),
                Err(error) => self.error(&reference.at, who, error.to_string()),
            }
        }
        ids
    }

    /// The target of that name; one that is not declared is reported.
    pub(super) fn named_target(
        &mut self,
        name: &TargetName,
        reference: &Reference,
        who: [&str; 2],
    ) -> Option<TargetId> {
        let found = self.model.target_named(name);
        if found.is_none() {
            let word = name.to_string();
            let hint = self
                .context
                .out
                .suggest(&word, self.model.targets.iter().map(|target| target.name.to_string()));
            self.context.out.hinted(&reference.at, who, format!("{word} is not declared"), hint);
        }
        found
    }
}

//! The server under test: its process, and what its commands say.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::failure::{Done, Failure, While as _};
use crate::namespaces::Net;
use crate::papers::Papers;
use crate::policy::Policy;
use crate::process::Process;
use crate::topology::{CARRIERS, HEARING, SERVER, VOTES_PORT};
use crate::watch::name_of;

/// Milliseconds since the Unix epoch, as events count.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// An event, as far as the lab reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// When, in milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
    /// `KIND PHASE TARGET`, such as `target-down begins link:north/telecom`.
    pub(crate) what: String,
}

/// What is known of a target, as far as the lab reads it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Target {
    /// `up` or `down`.
    pub(crate) status: String,
    /// `up`, `down`, `unknown` or `none`.
    pub(crate) verdict: String,
    /// What there is to say of it.
    pub(crate) notes: String,
    /// 0–1.
    pub(crate) loss: Option<f64>,
    /// Mean.
    pub(crate) delay_ms: Option<f64>,
}

impl Target {
    /// Whether it is up, and nothing is about to change.
    pub(crate) fn is_well(&self) -> bool {
        self.status == "up" && (self.verdict == "none" || self.verdict == "up" && self.notes.is_empty())
    }
}

/// A server.
pub(crate) struct Rhumb {
    program: PathBuf,
    folder: PathBuf,
    papers: Option<Papers>,
    process: Option<Process>,
    probers: Vec<Process>,
}

impl Rhumb {
    /// Writes its policy, checks it, and starts the server.
    pub(crate) fn start(net: &Net, (program, folder): (&Path, &Path), policy: &Policy) -> Done<Self> {
        let sites = policy.sites();
        let papers = (!sites.is_empty()).then(|| Papers::issue(folder, &sites)).transpose()?;
        let (program, folder, probers) = (program.to_owned(), folder.to_owned(), Vec::new());
        let mut rhumb = Self { program, folder, papers, process: None, probers };
        if let Some(samples) = policy.samples {
            rhumb.train(&samples())?;
        }
        let path = rhumb.policy();
        fs::write(&path, policy.text()).doing(path.display())?;
        rhumb.say(&["check", &path.to_string_lossy()])?;
        rhumb.resume(net)?;
        for (site, space) in &sites {
            (0..CARRIERS.len()).try_for_each(|link| rhumb.start_prober(net, (site, space), link))?;
        }
        Ok(rhumb)
    }

    /// Has it learn the model that policies call `links.model`.
    fn train(&self, samples: &str) -> Done {
        let [from, to] = ["samples.csv", "links.model"].map(|name| self.folder.join(name));
        fs::write(&from, samples).doing(from.display())?;
        self.say(&["train", &from.to_string_lossy(), "-o", &to.to_string_lossy()]).map(drop)
    }

    /// Starts a prober of a site that votes over one of its links: a site has
    /// two, so that it is heard while one link is left.
    fn start_prober(&mut self, net: &Net, (site, space): (&str, &str), link: usize) -> Done {
        let Some(papers) = &self.papers else { return Ok(()) };
        let [ca, cert, key] = papers.of(site);
        let to = format!("{}:{VOTES_PORT}", HEARING[link]);
        let mut command = Command::new(&self.program);
        command.arg("probe").arg(self.policy()).args(["--site", site, "--name", CARRIERS[link], "--to", &to]);
        command.arg("--ca").arg(ca).arg("--cert").arg(cert).arg("--key").arg(key);
        let log = self.folder.join(format!("prober-{}-{}.log", site, CARRIERS[link]));
        self.probers.push(Process::start(net, (space, &log), command)?);
        Ok(())
    }

    fn policy(&self) -> PathBuf {
        self.folder.join("policy.yaml")
    }

    fn socket(&self) -> String {
        self.folder.join("admin.sock").to_string_lossy().into_owned()
    }

    /// Starts the process on the state that the last one left.
    pub(crate) fn resume(&mut self, net: &Net) -> Done {
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .arg(self.policy())
            .args(["--listen", &format!("{SERVER}:53"), "--workers", "1", "--admin", &self.socket()])
            .arg("--state")
            .arg(self.folder.join("state"));
        if let Some(papers) = &self.papers {
            command.arg("--config").arg(&papers.configuration);
        }
        self.process = Some(Process::start(net, ("server", &self.folder.join("rhumb.log")), command)?);
        Ok(())
    }

    /// Ends the process; its state stays.
    pub(crate) fn end(&mut self, signal: Signal) -> Done {
        let process = self.process.take();
        process.map_or(Ok(()), |process| process.end(signal).map(drop))
    }

    /// Runs one of its commands that needs no server.
    fn say(&self, arguments: &[&str]) -> Done<String> {
        let act = format!("rhumb {}", arguments.join(" "));
        let output = Command::new(&self.program).args(arguments).output().doing(&act)?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.success() {
            true => Ok(out.into_owned()),
            false => Failure::because(format!("{act}: {out}{err}")),
        }
    }

    /// Runs one of its commands against the running server.
    pub(crate) fn tell(&self, arguments: &[&str]) -> Done<String> {
        self.say(&[arguments, &["--admin", &self.socket()]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Done<Json> {
        let text = self.tell(arguments)?;
        serde_json::from_str(&text).doing(arguments.join(" "))
    }

    /// What happened lately, oldest first.
    pub(crate) fn events(&self) -> Done<Vec<Event>> {
        let json = self.json(&["events", "--json", "--count", "1000"])?;
        let mut events: Vec<Event> = json.as_array().into_iter().flatten().map(event).collect();
        events.sort_by_key(|event| event.at_ms);
        Ok(events)
    }

    /// What is known of `name`.
    pub(crate) fn target(&self, name: &str) -> Done<Target> {
        let all = self.targets()?;
        let found = all.into_iter().find(|(one, _)| one == name);
        found.map_or_else(|| Failure::because(format!("rhumb targets: no {name}")), |(_, target)| Ok(target))
    }

    /// Whether what counts as down is what the file of its state says.
    pub(crate) fn is_saved(&self) -> Done<bool> {
        let path = self.folder.join("state/state.json");
        let text = fs::read_to_string(&path).doing(path.display())?;
        let saved: Json = serde_json::from_str(&text).doing(path.display())?;
        let targets = saved["state"]["targets"].as_object().into_iter().flatten();
        let saved =
            targets.filter(|(_, target)| target["up"] == Json::Bool(false)).map(|(name, _)| name.clone());
        let report = self.json(&["targets", "--json"])?;
        let targets = report["targets"].as_array().into_iter().flatten();
        let down = targets.filter(|target| target["status"] == "down");
        let down = down.filter_map(|target| target["name"].as_str().map(str::to_owned));
        Ok(saved.collect::<BTreeSet<_>>() == down.collect::<BTreeSet<_>>())
    }

    /// What is known of every target.
    pub(crate) fn targets(&self) -> Done<Vec<(String, Target)>> {
        let json = self.json(&["targets", "--json"])?;
        let targets = json["targets"].as_array().into_iter().flatten();
        Ok(targets.map(|one| (text(one, "name"), target(one))).collect())
    }

    /// What is answered for a service, as `tier 1` or `last resort`.
    pub(crate) fn answers(&self, service: &str) -> Done<String> {
        let json = self.json(&["targets", "--json"])?;
        let found = json["services"].as_array().into_iter().flatten().find(|one| one["name"] == service);
        found.map_or_else(
            || Failure::because(format!("rhumb targets: no {service}")),
            |one| Ok(text(one, "answers")),
        )
    }

    /// Whether it takes the fault for its own.
    pub(crate) fn is_own_fault(&self) -> Done<bool> {
        Ok(!self.json(&["targets", "--json"])?["own_fault"].is_null())
    }

    /// The datacenter of the nodes that a datacenter's balancers shall try
    /// first for a service.
    pub(crate) fn first_nodes(&self, service: &str, datacenter: &str) -> Done<String> {
        let json = self.json(&["plan", service, "--json"])?;
        let of = format!("balancer:{datacenter}/");
        let found = json.as_array().into_iter().flatten().find(|one| text(one, "balancer").starts_with(&of));
        found.map_or_else(
            || Failure::because(format!("rhumb plan {service}: no {of}")),
            |plan| Ok(text(&plan["nodes"][0], "datacenter")),
        )
    }

    /// Why a client is answered what it is, in words.
    pub(crate) fn explain(&self, service: &str, client: Ipv4Addr) -> Done<String> {
        self.tell(&["explain", &name_of(service), "--client", &client.to_string()])
    }

    /// Has it read its policy again, with a remark added.
    pub(crate) fn reload(&self) -> Done {
        let path = self.policy();
        let policy = fs::read_to_string(&path).doing(path.display())?;
        fs::write(&path, policy + "# read again\n").doing(path.display())?;
        self.tell(&["reload"]).map(drop)
    }

    /// The last lines of its log.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(self.folder.join("rhumb.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Whether the process is there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }
}

fn text(json: &Json, key: &str) -> String {
    json[key].as_str().unwrap_or_default().to_owned()
}

fn event(json: &Json) -> Event {
    let what = ["kind", "phase", "target"].map(|key| text(json, key)).join(" ");
    Event { at_ms: json["at_ms"].as_u64().unwrap_or_default(), what }
}

fn target(json: &Json) -> Target {
    let notes = json["notes"].as_array().into_iter().flatten();
    Target {
        status: text(json, "status"),
        verdict: text(json, "verdict"),
        notes: notes.filter_map(Json::as_str).collect::<Vec<_>>().join("; "),
        loss: json["loss"].as_f64(),
        delay_ms: json["delay_ms"].as_f64(),
    }
}

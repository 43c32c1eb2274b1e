//! What `dig` says.

use std::process::Command;

/// A reply as `dig` prints it.
#[derive(Default, Debug)]
pub(crate) struct Reply {
    /// `NOERROR`, `NXDOMAIN`, …; empty when nothing came back.
    pub(crate) status: String,
    /// `qr aa rd` …
    pub(crate) flags: String,
    /// `OWNER TYPE DATA`, sorted, of the answer section.
    pub(crate) answers: Vec<String>,
    /// `ADDRESS/SOURCE/SCOPE` of Client Subnet, if any.
    pub(crate) subnet: Option<String>,
    /// All of it.
    pub(crate) text: String,
}

impl Reply {
    /// The scope of Client Subnet.
    pub(crate) fn scope(&self) -> Option<u8> {
        self.subnet.as_ref()?.rsplit('/').next()?.parse().ok()
    }
}

/// Runs `dig` with these words, patient for one try of five seconds.
pub(crate) fn dig(words: &str) -> Reply {
    let mut command = Command::new("dig");
    command.args(["-r", "+tries=1", "+time=5", "+nocookie"]).args(words.split_whitespace());
    let output = command.output().expect("dig is there: tests ask before");
    parse(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn parse(text: String) -> Reply {
    let mut reply = Reply::default();
    let mut section = "";
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("status: ") {
            reply.status = rest.split(',').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            reply.flags = rest.split(';').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("; CLIENT-SUBNET: ") {
            reply.subnet = Some(rest.trim().to_owned());
        } else if line.starts_with(";;") || line.is_empty() {
            section = line;
        } else if section == ";; ANSWER SECTION:" {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [owner, _ttl, _class, rtype, data @ ..] = &words[..] {
                reply.answers.push(format!("{owner} {rtype} {}", data.join(" ")));
            }
        }
    }
    reply.answers.sort();
    reply.text = text;
    reply
}

//! `rhumb train` and `rhumb evaluate`: files in, files out.

use std::fmt::Write as _;

use crate::run::{Scratch, Server, text, wait_until};

const HEADER: &str = "group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best";

/// Decisions between two carriers, in which loss alone says which is best.
fn samples(count: usize) -> String {
    let mut out = format!("{HEADER}\n");
    for group in 0..count {
        let is_red = group % 3 == 0;
        let mut link = |name, is_best: bool, delay| {
            let (loss, best) = if is_best { (0.0, 1) } else { (0.1, 0) };
            let _ = writeln!(out, "g{group},north/{name},50,{},1,{loss},{delay},1,{best}", group % 7 * 100);
        };
        link("red", is_red, 20 + group % 5 * 20);
        link("green", !is_red, 30 + group % 4 * 20);
    }
    out
}

/// Arguments, exit code, parts of standard output and error, why.
type Row<'a> = (&'a [&'a str], i32, &'a [&'a str], &'a [&'a str], &'a str);

fn check(scratch: &Scratch, rows: &[Row<'_>]) {
    for (arguments, code, out, error, why) in rows {
        let output = scratch.run(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(*code), "{why}\n{stdout}{stderr}");
        for (stream, parts) in [(&stdout, out), (&stderr, error)] {
            for part in *parts {
                assert!(stream.contains(part), "{why}: no {part:?} in\n{stream}");
            }
            assert!(!parts.is_empty() || stream.is_empty(), "{why}: says\n{stream}");
        }
    }
}

#[test]
fn a_model_is_learned_and_measured() {
    let scratch = Scratch::new("learning");
    scratch.write("a.csv", &samples(60));
    scratch.write("b.csv", &samples(30).replace("\ng", "\nb"));
    check(
        &scratch,
        &[
            (
                &["train", "a.csv", "b.csv", "-o", "links.model", "--seed", "7"],
                0,
                &[
                    "90 groups, 90 pairs",
                    "chosen by cross-validation: C ",
                    "cross-validated: top-1 100.0 %",
                    "on 18 held-out groups:\n  model    top-1 100.0 %, regret mean ",
                    "  formula  top-1 ",
                    "  best     green     red\n  green   ",
                    "written to links.model",
                    "weights, nats per unit: quality +0.500, ",
                ],
                &[],
                "no bar where nobody watches",
            ),
            (
                &["evaluate", "a.csv", "--model", "links.model", "--picks", "picks.csv"],
                0,
                &["60 groups: top-1 100.0 %, regret mean ", " nats"],
                &[],
                "by the model",
            ),
            (
                &["evaluate", "a.csv", "--selector", "priority", "--json"],
                0,
                &[
                    "\"groups\": 60,\n  \"top1\": 0.333333",
                    "\"unit\": \"nats\"",
                    "\"measured\": 60",
                    "\"mean_regret\": ",
                    "\"p95_regret\": ",
                ],
                &[],
                "the first is best in a third",
            ),
            (&["evaluate", "a.csv"], 0, &["60 groups: top-1 "], &[], "by the formula"),
        ],
    );
    let picks = scratch.read("picks.csv");
    assert!(picks.starts_with("group,link\ng0,north/red\ng1,north/green\n"), "{picks}");
    assert_eq!(picks.lines().count(), 61, "a pick for every group");
    let model = scratch.read("links.model");
    scratch.run(&["train", "a.csv", "b.csv", "-o", "links.model", "--seed", "7"]);
    assert_eq!(scratch.read("links.model"), model, "the same seed");
    assert!(!scratch.path("links.model.new").exists(), "nothing is left behind");
}

#[test]
#[expect(clippy::too_many_lines, reason = "rows")]
fn what_is_wrong_with_samples_and_models() {
    let scratch = Scratch::new("bad-samples");
    let good = samples(60);
    scratch.write("good.csv", &good);
    scratch.write("bad.csv", &format!("{good}x,a,50,1,1,2,1,1,1\nx,b,fifty,1,1,0,nan,1,0\n"));
    scratch.write("worse.csv", "group,link\n");
    scratch.write("poor.csv", &samples(2));
    let one_link: String = good
        .lines()
        .map(|line| match line.split(',').nth(1) {
            Some("north/red") => format!("{}1\n", &line[..line.len() - 1]),
            Some("north/green") => format!("{}0\n", &line[..line.len() - 1]),
            _ => format!("{line}\n"),
        })
        .collect();
    scratch.write("poison.csv", &one_link);
    scratch.write("not.model", "rhumb-link-model 2\n");
    scratch.write("old.model", "kept");
    check(
        &scratch,
        &[
            (
                &["train", "bad.csv", "worse.csv", "-o", "old.model"],
                1,
                &[],
                &[
                    "bad.csv:122: a: loss: must be a number from 0 to 1",
                    "bad.csv:123: b: quality: ",
                    "bad.csv:123: b: delay_ms: ",
                    "worse.csv:1: header: loss: must be among the columns",
                ],
                "every wrong row of every file",
            ),
            (&["evaluate", "bad.csv"], 1, &[], &["bad.csv:122:"], "the same when it is measured"),
            (
                &["train", "poison.csv", "-o", "old.model"],
                1,
                &[],
                &["north/red is best in 100 % of groups"],
                "one link",
            ),
            (&["train", "poor.csv", "-o", "old.model"], 1, &[], &["at least 5 groups are needed"], "too few"),
            (&["train", "gone.csv", "-o", "old.model"], 2, &[], &["gone.csv: cannot be read"], "no file"),
            (
                &["train", "good.csv", "-o", "gone/links.model"],
                2,
                &[],
                &["gone/links.model: cannot be written"],
                "no place",
            ),
            (&["train", "good.csv"], 2, &[], &["--output <FILE>"], "nowhere to write"),
            (
                &["evaluate", "good.csv", "--model", "not.model"],
                1,
                &[],
                &["not.model: link model: line 1: version 2"],
                "another version",
            ),
            (
                &["evaluate", "good.csv", "--model", "gone.model"],
                2,
                &[],
                &["gone.model: cannot be read"],
                "no model",
            ),
            (
                &["evaluate", "good.csv", "--model", "a", "--selector", "loss"],
                2,
                &[],
                &["cannot be used with"],
                "two ways",
            ),
        ],
    );
    assert_eq!(scratch.read("old.model"), "kept", "nothing replaces a model but a model");
}

/// Two links, one of which a model prefers and declaration does not.
const POLICY: &str = "zone: example.com
datacenters: { north: { links: { red: { quality: 50 }, green: { quality: 50 } } } }
services:
  www:
    link-selection: { model: links.model, MORE }
    vips: { north: { red: 192.0.2.1, green: 192.0.2.2 } }
";

#[test]
fn a_server_uses_a_model_and_learns_on() {
    let scratch = Scratch::new("school");
    let shadow = POLICY.replace("MORE", "mode: shadow, live: priority, retrain: { every: 1h }");
    scratch.write("policy.yaml", &shadow);
    scratch.write("a.csv", &samples(60));
    assert!(scratch.run(&["train", "a.csv", "-o", "links.model"]).status.success());
    let server = Server::start(&scratch, &["policy.yaml", "--state", "state"]);
    let model = |server: &Server<'_>| server.json(&["links"])["learning"]["models"][0].clone();
    wait_until("the model is enrolled", || model(&server)["groups"] == 60);
    let first = model(&server)["id"].clone();
    assert!(text(&server.tell(&["links"]).stdout).contains("links.model in its shadow"), "for people");

    let orders = [
        (["links", "retrain", "--reason", "now"], true, "at least 5 groups are needed to learn from"),
        (["links", "promote", "--reason", "all the same"], false, ""),
        (["links", "rollback", "--reason", "back"], false, "there is nothing before it"),
    ];
    for (words, is_done, said) in orders {
        let output = server.tell(&words);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() == is_done && all.contains(said), "{words:?}: {all}");
    }

    // The operator's file is another: hot, like all files.
    assert!(scratch.run(&["train", "a.csv", "-o", "links.model", "--seed", "9"]).status.success());
    wait_until("the new file is in use", || model(&server)["id"] != first);
    let (second, generation) = (model(&server)["id"].clone(), server.status()["generation"].clone());
    scratch.write("links.model", "rhumb-link-model 1\nseed nine\n");
    wait_until("it is refused", || !server.status()["refused"].is_null());
    let refused = server.status()["refused"].to_string();
    assert!(refused.contains("links.model: line 2: seed must be a whole number"), "{refused}");
    assert_eq!((model(&server)["id"].clone(), server.status()["generation"].clone()), (second, generation));
    assert_eq!(server.ask("www.example.com. A"), "192.0.2.1", "in the shadow of the declared order");
}

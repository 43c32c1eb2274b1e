//! Commands and files: what they say, and that nothing they do outlives the
//! timeout.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read files, and may panic")]

#[path = "support/all.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use rhumb_health::Cause::{Local, Silent, Wrong};
use support::{LOOPBACKS, Want, await_end, check, reply};

fn fresh_directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[tokio::test]
async fn exit_codes_and_words() {
    let rows: [(&str, Want, Option<&str>, &str); 14] = [
        ("{ exec: /bin/true }", Ok(()), None, "zero"),
        ("{ exec: /bin/false }", Err((Wrong, "exit code 1")), None, "not zero"),
        ("{ exec: [/bin/sh, -c, exit 3], exit: [0, 3] }", Ok(()), None, "a code that means up"),
        ("{ exec: [/bin/sh, -c, exit 0], exit: 3 }", Err((Wrong, "exit code 0")), None, "zero does not"),
        ("{ exec: [/bin/sh, -c, echo north is it] }", Ok(()), Some("north"), "its first word"),
        (
            "{ exec: [/bin/sh, -c, echo disk full; exit 2] }",
            Err((Wrong, "exit code 2: disk full")),
            Some("disk"),
            "its first line says why",
        ),
        ("{ exec: [/bin/sh, -c, kill -9 $$] }", Err((Wrong, "ended by signal 9")), None, "a signal"),
        ("{ exec: [/bin/echo, '$HOME *'] }", Ok(()), Some("$HOME"), "no shell comes in between"),
        ("{ exec: /nowhere/probe }", Err((Local, "cannot start it: no such file")), None, "no such program"),
        ("{ exec: /etc/passwd }", Err((Local, "cannot start it: permission denied")), None, "no program"),
        (
            "{ exec: [/bin/sh, -c, 'echo $A$HOME$USER'], env: { A: b } }",
            Ok(()),
            Some("b"),
            "only what is given",
        ),
        ("{ exec: [/bin/sh, -c, 'echo $RHUMB_ADDRESS'] }", Ok(()), Some("127.0.0.1"), "whom it is about"),
        ("{ exec: [/bin/sh, -c, 'read x; echo end'] }", Ok(()), Some("end"), "nothing to read"),
        ("{ exec: [/bin/sh, -c, exec yes], timeout: 2s }", Err((Wrong, "without end")), None, "floods"),
    ];
    for (text, want, report, why) in rows {
        let got = reply(text, Some(LOOPBACKS[0])).await;
        check(&got, want, &format!("{text}: {why}"));
        assert_eq!(got.report.as_deref(), report, "{text}: {why}");
    }
}

#[tokio::test]
async fn nothing_outlives_its_probe() {
    let directory = fresh_directory("exec");
    let rows = [
        ("hang", "sleep 1000", Err((Silent, "killed after 500ms")), "a child it waits for"),
        (
            "deaf",
            "trap '' TERM INT HUP; while :; do sleep 1000; done",
            Err((Silent, "killed")),
            "deaf to signals",
        ),
        ("fork", "sleep 1000 & sleep 1000 & wait", Err((Silent, "killed")), "several children"),
        ("leave", "sleep 1000 & echo left", Ok(()), "a child it left, which holds its output open"),
    ];
    for (name, script, want, why) in rows {
        let pids = directory.join(name);
        // Every process of the group, as the shell knows it.
        let script = format!("echo $$ > {0}; ({script}; :)  & echo $! >> {0}; {script}", pids.display());
        let script = script.replace('\'', "''");
        let text = format!("{{ exec: [/bin/sh, -c, '{script}'], timeout: 500ms }}");
        let got = reply(&text, None).await;
        check(&got, want, why);
        let started = fs::read_to_string(&pids).unwrap();
        assert_eq!(started.lines().count(), 2, "{why}: {started}");
        started.lines().for_each(await_end);
    }
}

#[tokio::test]
async fn who_is_dropped_is_killed() {
    let directory = fresh_directory("dropped");
    let pid = directory.join("pid");
    let script = format!("echo $$ > {}.new; mv {0}.new {0}; sleep 1000", pid.display());
    let text = format!("{{ exec: [/bin/sh, -c, '{script}'], timeout: 1000s, interval: 1000s }}");
    let probing = tokio::spawn(async move { reply(&text, None).await });
    while !pid.exists() {
        tokio::task::yield_now().await;
    }
    probing.abort();
    assert!(probing.await.unwrap_err().is_cancelled());
    await_end(fs::read_to_string(&pid).unwrap().trim());
}

#[tokio::test]
async fn files() {
    let directory = fresh_directory("file");
    let fifo = directory.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let rows: [(&str, &str, Want, Option<&str>, &str); 9] = [
        ("up", "up\n", Ok(()), Some("up"), "up"),
        ("why", " up since noon", Ok(()), Some("up"), "with a reason"),
        ("down", "down for maintenance", Err((Wrong, "it says down")), Some("down"), "down"),
        ("other", "north", Err((Wrong, "it says north, neither")), Some("north"), "a side that is writable"),
        ("upper", "UP", Err((Wrong, "neither up nor down")), Some("UP"), "case counts"),
        ("empty", "", Err((Wrong, "neither up nor down")), None, "written just now"),
        ("missing", "", Err((Local, "no such file")), None, "not there"),
        ("fifo", "", Err((Wrong, "neither")), None, "a pipe that nobody writes to"),
        ("/dev/zero", "", Err((Wrong, "neither")), None, "without end"),
    ];
    for (name, content, want, report, why) in rows {
        let path = directory.join(name);
        if !matches!(name, "missing" | "fifo" | "/dev/zero") {
            fs::write(&path, content).unwrap();
        }
        let got = reply(&format!("{{ file: '{}' }}", path.display()), None).await;
        check(&got, want, why);
        assert_eq!(got.report.as_deref(), report, "{why}");
    }
    let got = reply(&format!("{{ file: '{}' }}", directory.display()), None).await;
    check(&got, Err((Local, "is a directory")), "a directory");
}

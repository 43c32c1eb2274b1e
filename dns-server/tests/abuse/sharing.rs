//! Cookies of several servers, and a secret that is replaced while they run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::programs::{Rhumb, fresh_directory, missing, testdata};

const OLD: &str = "dd3bdf9344b678b185a6f5cb60fca715";
const NEW: &str = "445536bcd2513298075a5d379663c962";

fn serve(directory: &Path, secrets: &str) -> Rhumb {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("secrets"), secrets).unwrap();
    fs::write(directory.join("config.yaml"), "cookies: { secrets: secrets, require: true }\n").unwrap();
    let config = directory.join("config.yaml");
    let policy = testdata().join("abuse/policy.yaml");
    Rhumb::serve(directory, &policy, &["127.0.0.1:0"], &["--config", config.to_str().unwrap()])
}

/// What `program` says of a query to `server` with these words.
fn say(program: &str, server: &Rhumb, words: &[&str]) -> String {
    let address = server.listening[0];
    let mut command = Command::new(program);
    if program == "dig" {
        command.arg("-r");
    }
    command.arg(format!("@{}", address.ip())).args(["-p", &address.port().to_string()]);
    command.args(["www.gslb.example.com", "A"]).args(words);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// The cookie that dig got.
fn cookie(server: &Rhumb) -> String {
    let said = say("dig", server, &["+cookie=0102030405060708"]);
    let line =
        said.lines().find_map(|line| line.strip_prefix("; COOKIE: ")).unwrap_or_else(|| panic!("{said}"));
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn servers_take_each_others_cookies() {
    if missing(&["dig", "kdig"]) {
        return;
    }
    let directory = fresh_directory("cookies");
    let (one, two) = (serve(&directory.join("1"), OLD), serve(&directory.join("2"), OLD));
    // Without a retry, a cookie that is not taken shows as BADCOOKIE.
    let takes = |server: &Rhumb, cookie: &str| {
        let said = say("dig", server, &[&format!("+cookie={cookie}"), "+nobadcookie"]);
        assert!(said.contains("status: NOERROR") || said.contains("status: BADCOOKIE"), "{said}");
        said.contains("status: NOERROR")
    };
    for (program, words, why) in [
        ("dig", &["+cookie", "+badcookie"][..], "dig comes back with what it got"),
        ("kdig", &["+cookie", "+badcookie"], "and so does kdig"),
        ("dig", &["+nocookie"], "without a cookie, over TCP"),
    ] {
        let said = say(program, &one, words);
        assert!(said.contains("192.0.2."), "{why}: {said}");
    }
    let given = cookie(&one);
    assert!(!takes(&one, "0102030405060708"), "a cookie is asked for");
    assert!(takes(&one, &given) && takes(&two, &given), "the servers share a secret");

    // The next secret is known everywhere before it makes cookies.
    let rotate = |server: &Rhumb, secrets: &[&str]| {
        fs::write(server.admin.with_file_name("secrets"), secrets.join("\n")).unwrap();
        server.tell(&["reload"]);
    };
    for server in [&one, &two] {
        rotate(server, &[OLD, NEW]);
    }
    rotate(&one, &[NEW, OLD]);
    let next = cookie(&one);
    assert!(takes(&one, &given) && takes(&two, &given), "the old one is still good");
    assert!(takes(&one, &next) && takes(&two, &next), "the new one is already");
    for server in [&one, &two] {
        rotate(server, &[NEW]);
    }
    assert!(takes(&one, &next) && takes(&two, &next), "the new one stays");
    assert!(!takes(&one, &given) && !takes(&two, &given), "the old one is gone");

    // What is no file of secrets is refused, and the last one serves on.
    fs::write(two.admin.with_file_name("secrets"), "not a secret\n").unwrap();
    let reload =
        Command::new(env!("CARGO_BIN_EXE_rhumb")).arg("reload").arg("--admin").arg(&two.admin).output();
    let reload = reload.unwrap();
    let said = String::from_utf8_lossy(&reload.stdout) + String::from_utf8_lossy(&reload.stderr);
    assert!(!reload.status.success() && said.contains("32 hexadecimal digits"), "{said}");
    assert!(takes(&two, &next), "it serves on");
    assert!(two.tell(&["status"]).contains("cookies "), "the counters tell");
}

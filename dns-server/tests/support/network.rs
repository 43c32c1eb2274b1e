//! A network of its own for one test, so that port 53 and real delegations
//! can be used: the test runs itself again in a fresh network and process
//! namespace, which the kernel takes down with everything in it when the
//! test ends, however it ends.

use std::process::{Command, Stdio};

use super::programs::skipped;

/// Set in the inner run.
const INSIDE: &str = "RHUMB_TEST_INSIDE";

/// Seconds after which the inner run is killed.
const LIMIT: &str = "120";

/// Runs `body`, as the test called `name`, in a network with `addresses` on
/// its loopback interface.
///
/// # Panics
/// When `body` does.
pub(crate) fn in_own_network(name: &str, addresses: &[&str], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        run("ip", &["link", "set", "lo", "up"]);
        for address in addresses {
            run("ip", &["address", "add", address, "dev", "lo"]);
        }
        return body();
    }
    let Some(namespaces) = WAYS.into_iter().find(|way| possible(way)) else {
        return skipped("needs unshare and ip, and the right to use namespaces");
    };
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LIMIT, "unshare"]).args(namespaces).arg(own);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{}:\n{text}", output.status);
}

/// With a user namespace, which needs no root where the system allows it; and
/// without, for root in a container that forbids one.
const WAYS: [&[&str]; 2] = [
    &["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"],
    &["--net", "--pid", "--fork", "--kill-child"],
];

fn possible(namespaces: &[&str]) -> bool {
    let mut command = Command::new("unshare");
    command.args(namespaces).args(["ip", "link", "set", "lo", "up"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

//! A router with a network namespace of its own: a thread that has left ours.
//!
//! Two wires lead to it from the test's network, `a` and `b`, 10.1.0.0/24 and
//! 10.2.0.0/24 (and fd01::/64, fd02::/64), the router at `.2`. Behind it are
//! 198.51.100.1 and 2001:db8:100::1, which answer, and 203.0.113.0/24 and
//! 2001:db8:bad::/48, which it calls unreachable.

use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};

type Order = Box<dyn FnOnce() + Send>;

/// The way to its thread.
pub(crate) struct Router(mpsc::Sender<Order>);

impl Router {
    /// Lays the wires.
    pub(crate) fn new() -> Self {
        let (orders, received) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            received.into_iter().for_each(|order| order());
        });
        let router = Self(orders);
        let own = std::process::id();
        let quickly = || sysctl("ipv6/conf/default/accept_dad", "0");
        quickly();
        router.run(move || {
            quickly();
            ip("link set lo up");
            for (wire, net) in [("a", 1), ("b", 2)] {
                ip(&format!("link add r{wire} type veth peer name {wire} netns {own}"));
                ip(&format!("address add 10.{net}.0.2/24 dev r{wire}"));
                ip(&format!("address add fd0{net}::2/64 dev r{wire} nodad"));
                ip(&format!("link set dev r{wire} up"));
            }
            ip("address add 198.51.100.1/32 dev lo");
            ip("address add 2001:db8:100::1/128 dev lo");
            ip("route add unreachable 203.0.113.0/24");
            ip("route add unreachable 2001:db8:bad::/48");
            for family in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                sysctl(family, "1");
            }
            // Errors are for probes to hear, all of them.
            sysctl("ipv4/icmp_ratelimit", "0");
            sysctl("ipv6/icmp/ratelimit", "0");
        });
        for (wire, net) in [("a", 1), ("b", 2)] {
            lay(wire, net);
        }
        for wire in ["a", "b"] {
            await_carrier(wire);
            router.run(move || await_carrier(&format!("r{wire}")));
        }
        router
    }

    /// Runs something in the router's network; its threads and programs stay
    /// there.
    pub(crate) fn run<T: Send + 'static>(&self, what: impl FnOnce() -> T + Send + 'static) -> T {
        let (send, receive) = mpsc::channel();
        let order = move || {
            let _ = send.send(what());
        };
        self.0.send(Box::new(order)).unwrap();
        receive.recv().expect("it does not panic")
    }
}

/// Our end of a wire. The routes over `b` are the worse ones.
fn lay(wire: &str, net: u8) {
    ip(&format!("address add 10.{net}.0.1/24 dev {wire}"));
    ip(&format!("address add fd0{net}::1/64 dev {wire} nodad"));
    ip(&format!("link set dev {wire} up"));
    for to in ["198.51.100.0/24", "203.0.113.0/24"] {
        ip(&format!("route add {to} via 10.{net}.0.2 dev {wire} metric {net}"));
    }
    for to in ["2001:db8:100::/48", "2001:db8:bad::/48"] {
        ip(&format!("route add {to} via fd0{net}::2 dev {wire} metric {net}"));
    }
    // Who does not answer ARP is given up in 150 ms, not in three seconds.
    for family in ["ipv4", "ipv6"] {
        sysctl(&format!("{family}/neigh/{wire}/retrans_time_ms"), "50");
    }
}

/// Waits until packets pass: the kernel opens a queue a moment after a wire is
/// up.
pub(crate) fn await_carrier(wire: &str) {
    let start = Instant::now();
    loop {
        let shown = Command::new("ip").args(["-o", "link", "show", "dev", wire]).output().unwrap();
        if String::from_utf8_lossy(&shown.stdout).contains("state UP") {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{wire} does not come up");
    }
}

/// Runs `ip`.
pub(crate) fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}: {status}");
}

/// Sets a value below `/proc/sys/net`.
pub(crate) fn sysctl(path: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{path}"), value).unwrap_or_else(|error| panic!("{path}: {error}"));
}

//! Network namespaces, the cables between them and their routes.
//!
//! A [`Plan`] is drawn first and laid afterwards: then `ip` runs once for all
//! cables and once per space. Every cable is a veth pair with a transfer
//! network of its own (100.64.0.0/16, a /31 each); routes name the interface
//! and the neighbour is the cable's other end. A space has a main address on
//! loopback that its packets bear unless a route says otherwise.
//!
//! Threads enter spaces: children started and sockets opened there stay
//! there. So every host of a world is a thread of the lab and no program of
//! its own, except for those under test.
//!
//! **Invariant:** spaces bear the lab's process id in their name, and go when
//! the [`Net`] does. Those of a lab that was killed are swept at the start.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::process::{self, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::failure::{Done, Failure, While as _};

/// What all names of spaces and directories start with; then the process id.
pub(crate) const PREFIX: &str = "rhumb-lab-";

/// Where `ip` keeps spaces by name.
const NAMED: &str = "/run/netns";

/// One end of a cable: the space, and the interface's name in it.
pub(crate) type End<'n> = (&'n str, &'n str);

/// A network to be.
#[derive(Default)]
pub(crate) struct Plan {
    spaces: BTreeMap<String, Space>,
    cables: Vec<[(String, String); 2]>,
}

#[derive(Default)]
struct Space {
    main: Option<String>,
    /// `address dev interface`.
    addresses: Vec<String>,
    /// The other end's address, by interface.
    neighbours: BTreeMap<String, String>,
    /// Arguments of `ip route replace`.
    routes: Vec<String>,
    /// Arguments of `ip rule`.
    rules: Vec<String>,
}

impl Plan {
    /// Adds a space, with its main address if it has one.
    pub(crate) fn space(&mut self, name: &str, main: Option<&str>) {
        let space = self.spaces.entry(name.to_owned()).or_default();
        space.main = main.map(str::to_owned);
        space.addresses.extend(main.map(|main| format!("{main}/32 dev lo")));
    }

    /// Adds an address to an interface of a space.
    pub(crate) fn address(&mut self, (space, interface): End<'_>, address: &str) {
        self.at(space).addresses.push(format!("{address}/32 dev {interface}"));
    }

    /// Joins two spaces.
    pub(crate) fn cable(&mut self, a: End<'_>, b: End<'_>) {
        let number = self.cables.len() * 2;
        let transfer = |end: usize| format!("100.64.{}.{}", (number + end) / 256, (number + end) % 256);
        for ((space, interface), own, other) in [(a, 0, 1), (b, 1, 0)] {
            let (own, other) = (transfer(own), transfer(other));
            let space = self.at(space);
            space.addresses.push(format!("{own}/31 dev {interface}"));
            space.neighbours.insert(interface.to_owned(), other);
        }
        self.cables.push([a, b].map(|(space, interface)| (space.to_owned(), interface.to_owned())));
    }

    /// Joins two spaces; each interface bears the other's name.
    pub(crate) fn join(&mut self, a: &str, b: &str) {
        self.cable((a, b), (b, a));
    }

    /// Adds a route to `prefix` over an interface; `more` may say `src` or `metric`.
    pub(crate) fn route(&mut self, (space, interface): End<'_>, prefix: &str, more: &str) {
        let space = self.at(space);
        let neighbour = &space.neighbours[interface];
        let mut route = format!("{prefix} via {neighbour} dev {interface} {more}");
        if let (Some(main), false) = (&space.main, more.contains("src")) {
            let _ = write!(route, " src {main}");
        }
        space.routes.push(route);
    }

    /// Has a space refuse what is meant for `prefix` while no better route is there.
    pub(crate) fn refuse(&mut self, space: &str, prefix: &str) {
        self.at(space).routes.push(format!("unreachable {prefix} metric 4000"));
    }

    /// Has a space pass on over `out` what comes from `from` for an address
    /// of its own; `table` is one that no other rule of the space has.
    pub(crate) fn pass_on(&mut self, (space, out): End<'_>, from: &str, (address, table): (&str, usize)) {
        let neighbour = self.at(space).neighbours[out].clone();
        let space = self.at(space);
        // The local table is asked after the first rules instead of before.
        if space.rules.is_empty() {
            space.rules.extend(["add pref 20 lookup local".to_owned(), "del pref 0".to_owned()]);
        }
        space.rules.push(format!("add pref 10 iif {from} to {address} lookup {table}"));
        space.routes.push(format!("{address} via {neighbour} dev {out} table {table}"));
        space.routes.push(format!("unreachable {address} metric 4000 table {table}"));
    }

    fn at(&mut self, space: &str) -> &mut Space {
        self.spaces.get_mut(space).expect("spaces are added before they are joined")
    }

    /// Makes it so, under names that contain `world`.
    ///
    /// # Errors
    /// When the system refuses; what was made is gone again.
    pub(crate) fn lay(self, world: &str) -> Done<Net> {
        let net = Net { prefix: format!("{PREFIX}{}-{world}-", process::id()), spaces: self.spaces };
        for space in net.spaces.keys() {
            run("ip", &["netns", "add", &net.full(space)], "")?;
            net.inside(space, prepare)??;
        }
        let mut batch = String::new();
        for [(a, on_a), (b, on_b)] in &self.cables {
            let (a, b) = (net.full(a), net.full(b));
            let _ = writeln!(batch, "link add name {on_a} netns {a} type veth peer name {on_b} netns {b}");
        }
        run("ip", &["-batch", "-"], &batch)?;
        for (name, space) in &net.spaces {
            let mut batch = "link set lo up\n".to_owned();
            space.addresses.iter().for_each(|address| {
                let _ = writeln!(batch, "address add {address}");
            });
            space.neighbours.keys().for_each(|interface| {
                let _ = writeln!(batch, "link set {interface} up");
            });
            space.rules.iter().for_each(|rule| {
                let _ = writeln!(batch, "rule {rule}");
            });
            net.ip(name, &batch)?;
            net.restore_routes(name)?;
        }
        Ok(net)
    }
}

/// Settings of a fresh space.
fn prepare() -> Done {
    let settings = [
        ("ip_forward", "1"),
        ("conf/default/rp_filter", "0"),
        ("conf/all/rp_filter", "0"),
        // Pings without privileges, as `rhumb` sends them where it may.
        ("ping_group_range", "0\t2147483647"),
    ];
    settings.iter().try_for_each(|(name, value)| {
        fs::write(format!("/proc/sys/net/ipv4/{name}"), value).doing(format_args!("setting {name}"))
    })
}

/// A network that is there, until dropped.
pub(crate) struct Net {
    prefix: String,
    spaces: BTreeMap<String, Space>,
}

impl Net {
    /// The system's name of a space.
    fn full(&self, space: &str) -> String {
        format!("{}{space}", self.prefix)
    }

    /// Runs `act` inside a space.
    ///
    /// # Errors
    /// When the space cannot be entered.
    pub(crate) fn inside<T: Send>(&self, space: &str, act: impl FnOnce() -> T + Send) -> Done<T> {
        let path = format!("{NAMED}/{}", self.full(space));
        thread::scope(|scope| {
            let entered = scope.spawn(move || {
                let door = File::open(&path).doing(format_args!("opening {path}"))?;
                move_into_link_name_space(door.as_fd(), Some(LinkNameSpaceType::Network))
                    .doing(format_args!("entering {path}"))?;
                Ok(act())
            });
            entered.join().unwrap_or_else(|_| Failure::because(format!("panic inside {space}")))
        })
    }

    /// Runs lines of `ip` commands inside a space.
    pub(crate) fn ip(&self, space: &str, batch: &str) -> Done {
        run("ip", &["-n", &self.full(space), "-batch", "-"], batch)
    }

    /// Runs lines of `nft` commands inside a space.
    pub(crate) fn nft(&self, space: &str, script: &str) -> Done {
        self.inside(space, || run("nft", &["-f", "-"], script))?
    }

    /// Puts back the routes that went with an interface.
    pub(crate) fn restore_routes(&self, space: &str) -> Done {
        let routes = &self.spaces[space].routes;
        self.ip(
            space,
            &routes.iter().fold(String::new(), |batch, route| batch + "route replace " + route + "\n"),
        )
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for space in self.spaces.keys() {
            remove(&self.full(space));
        }
    }
}

/// Ends what runs in a space, and the space. What is gone already is well.
fn remove(name: &str) {
    if let Ok(found) = Command::new("ip").args(["netns", "pids", name]).output() {
        let pids = String::from_utf8_lossy(&found.stdout);
        let own = i32::try_from(process::id()).ok();
        for pid in pids.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| Some(*pid) != own) {
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
        }
    }
    let _ = Command::new("ip").args(["netns", "del", name]).stderr(Stdio::null()).status();
}

/// Removes what labs left that are no more: spaces and directories.
pub(crate) fn sweep() {
    for name in left(NAMED) {
        remove(&name);
    }
    for name in left(&env::temp_dir().to_string_lossy()) {
        // What cannot be removed is in a directory for such things.
        let _ = fs::remove_dir_all(env::temp_dir().join(name));
    }
}

/// What is in `folder` under a name of a lab that is no more.
fn left(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_left = |name: &String| {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        owner.is_some_and(|owner| !fs::exists(format!("/proc/{owner}")).unwrap_or(true))
    };
    names.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_left).collect()
}

/// Whether spaces and cables can be had; why not, otherwise.
pub(crate) fn available() -> Done {
    if !rustix::process::geteuid().is_root() {
        return Failure::because("not root");
    }
    let mut plan = Plan::default();
    plan.space("one", Some("192.0.2.1"));
    plan.space("two", None);
    plan.join("one", "two");
    let net = plan.lay("trial")?;
    net.nft("one", "add table ip lab\n")?;
    run("unbound", &["-V"], "")
}

/// Runs a program with `input`; fails when it does.
pub(crate) fn run(program: &str, arguments: &[&str], input: &str) -> Done {
    let act = format!("{program} {}", arguments.join(" "));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .doing(&act)?;
    // One that ends early has a reason, told below.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().doing(&act)?;
    match output.status.success() {
        true => Ok(()),
        false => Failure::because(format!("{act}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

//! Debian's unbound, told to ask the server under test for its zone.
//!
//! It sends EDNS Client Subnet, so one resolver serves clients near every
//! datacenter, and what it keeps by scope is under test as well.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Done, While as _};
use crate::namespaces::Net;
use crate::process::Process;
use crate::topology::{RESOLVER, SERVER};

/// Starts one, with its files in `folder`.
pub(crate) fn start(net: &Net, folder: &Path) -> Done<Process> {
    let configuration = folder.join("unbound.conf");
    fs::write(&configuration, text(folder)).doing(configuration.display())?;
    let mut command = Command::new("unbound");
    command.arg("-d").arg("-c").arg(&configuration);
    Process::start(net, ("resolver", &folder.join("unbound.log")), command)
}

fn text(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"server:
  interface: {RESOLVER}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "subnetcache iterator"
  send-client-subnet: {SERVER}
  max-client-subnet-ipv4: 24
  # A server that restarts is asked again at once.
  infra-host-ttl: 1
remote-control:
  control-enable: no
stub-zone:
  name: gslb.example.com
  stub-addr: {SERVER}
"#
    )
}

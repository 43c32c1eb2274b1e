//! A detour that takes time: two TUN devices and what carries packets between.
//!
//! The kernel here may have no netem. So a link's packets are routed into a TUN
//! device on one side, kept for a while, and written to one on the other side.
//! Order is kept; both directions wait the same.
//!
//! One call needs `unsafe`: giving a TUN device its name is an ioctl that no
//! crate we have wraps.

#![allow(unsafe_code, reason = "TUNSETIFF has no safe wrapper")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::ioctl::{Setter, ioctl, opcode};

use crate::failure::{Done, While as _};
use crate::namespaces::Net;

/// `struct ifreq` as far as TUNSETIFF reads it: name, flags, the rest zero
/// (linux/if.h; 40 octets on 64-bit machines).
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// IFF_TUN | IFF_NO_PI (linux/if_tun.h): bare packets.
const TUN_BARE: u16 = 0x0001 | 0x1000;
/// TUNSETIFF (linux/if_tun.h): `_IOW('T', 202, int)`.
const SET_INTERFACE: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 202);
/// Largest packet: the cables' MTU is 1500.
const PACKET: usize = 2048;

/// A detour, until dropped.
pub(crate) struct Detour {
    /// Closing them stops the readers, which stops the writers.
    stops: Vec<UnixStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Detour {
    /// Makes a device `name` in both spaces; packets take `delay` from one to
    /// the other.
    pub(crate) fn start(net: &Net, (name, spaces): (&str, [&str; 2]), delay: Duration) -> Done<Self> {
        let [a, b] = [open(net, spaces[0], name)?, open(net, spaces[1], name)?];
        let mut detour = Self { stops: Vec::new(), threads: Vec::new() };
        for (from, to) in [(&a, &b), (&b, &a)] {
            let (from, to) = (from.try_clone().doing("tun")?, to.try_clone().doing("tun")?);
            let (stop, stopped) = UnixStream::pair().doing("tun")?;
            let (sender, receiver) = channel();
            detour.stops.push(stop);
            let reader = thread::Builder::new().spawn(move || read(&from, (&stopped, delay), &sender));
            let writer = thread::Builder::new().spawn(move || write(to, &receiver));
            detour.threads.extend([reader.doing("tun")?, writer.doing("tun")?]);
        }
        Ok(detour)
    }
}

impl Drop for Detour {
    fn drop(&mut self) {
        self.stops.clear();
        for thread in self.threads.drain(..) {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

/// Makes a TUN device in a space; it is gone when the file is closed.
fn open(net: &Net, space: &str, name: &str) -> Done<File> {
    let device = net.inside(space, || {
        let device = File::options().read(true).write(true).open("/dev/net/tun")?;
        let mut request = Request { name: [0; 16], flags: TUN_BARE, rest: [0; 22] };
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        // SAFETY: TUNSETIFF reads one `struct ifreq`, whose layout `Request` has,
        // and keeps no pointer.
        unsafe { ioctl(device.as_fd(), Setter::<SET_INTERFACE, Request>::new(request)) }?;
        Ok::<_, std::io::Error>(device)
    })?;
    net.ip(space, &format!("link set {name} up\n"))?;
    device.doing("tun")
}

/// Takes packets in and notes when they are due.
fn read(mut from: &File, (stopped, delay): (&UnixStream, Duration), sender: &Sender<(Instant, Vec<u8>)>) {
    let mut packet = [0; PACKET];
    loop {
        let mut ready = [PollFd::new(from, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        if poll(&mut ready, None).is_ok() && !ready[1].revents().is_empty() {
            return;
        }
        let Ok(length) = from.read(&mut packet) else { return };
        if sender.send((Instant::now() + delay, packet[..length].to_vec())).is_err() {
            return;
        }
    }
}

/// Hands packets out when they are due.
fn write(mut to: File, receiver: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, packet)) = receiver.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A full queue drops, as a network may.
        let _ = to.write_all(&packet);
    }
}

//! The socket itself: which kind, what it lets in, and what it says of a
//! packet.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::packet::{LEN, Packet};
use crate::probe::way::{Way, connect, local, origin};
use crate::reply::Failure;

/// Bytes of buffer for replies: each takes about 800 of the kernel's
/// accounting, so these hold 10,000, half a second at the full budget.
const BUFFER: usize = 8 << 20;

/// Longest packet looked at: the longest header of IPv4, and ours. What is
/// longer is no reply to us.
const LONGEST: usize = 60 + LEN;

/// Room for a time stamp.
const CONTROL: usize = 64;

/// Opens a socket for `to`'s family; with its identifier when it is raw.
pub(super) fn open(way: &Way<'_>, to: IpAddr) -> Result<(Socket, Option<u16>), Failure> {
    let at = SocketAddr::new(to, 0);
    let protocol = if to.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let (socket, identifier) =
        match Socket::new(Domain::for_address(at), Type::DGRAM.nonblocking(), Some(protocol)) {
            Ok(socket) => (socket, None),
            Err(_) => {
                let socket = Socket::new(Domain::for_address(at), Type::RAW.nonblocking(), Some(protocol))
                    .map_err(|error| {
                        let why = "cannot ping: give CAP_NET_RAW or widen net.ipv4.ping_group_range";
                        local(why, &error)
                    })?;
                let identifier = fastrand::u16(..);
                admit_only(&socket, identifier, to.is_ipv4())
                    .map_err(|error| local("cannot filter", &error))?;
                (socket, Some(identifier))
            }
        };
    connect::bind(way, &socket)?;
    if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
        // Without the right to force it, as much as the system allows.
        let _ = socket.set_recv_buffer_size(BUFFER);
    }
    let options = setsockopt(&socket, sockopt::ReceiveTimestampns, &true).and_then(|()| match to {
        IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
        IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
    });
    options.map_err(|errno| local("cannot prepare the socket", &errno.into()))?;
    Ok((socket, identifier))
}

/// Lets a raw socket receive echo replies with its identifier and nothing
/// else: it would get a copy of every ICMP packet of the machine (`bpf(4)`).
fn admit_only(socket: &Socket, identifier: u16, is_v4: bool) -> io::Result<()> {
    /// Of the instruction set in `linux/filter.h`.
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_BYTE_BEHIND: u16 = 0x50;
    const LOAD_HALF: u16 = 0x28;
    const LOAD_HALF_BEHIND: u16 = 0x48;
    const SKIP_IP_HEADER: u16 = 0xb1;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let identifier = u32::from(identifier);
    let op = SockFilter::new;
    let all = op(RETURN, 0, 0, u32::MAX);
    let none = op(RETURN, 0, 0, 0);
    if is_v4 {
        socket.attach_filter(&[
            op(SKIP_IP_HEADER, 0, 0, 0),
            op(LOAD_BYTE_BEHIND, 0, 0, 0),
            op(IF_EQUAL, 0, 3, 0),
            op(LOAD_HALF_BEHIND, 0, 0, 4),
            op(IF_EQUAL, 0, 1, identifier),
            all,
            none,
        ])
    } else {
        socket.attach_filter(&[
            op(LOAD_BYTE, 0, 0, 0),
            op(IF_EQUAL, 0, 3, 129),
            op(LOAD_HALF, 0, 0, 4),
            op(IF_EQUAL, 0, 1, identifier),
            all,
            none,
        ])
    }
}

/// What a read brought.
pub(super) enum Arrived {
    /// A reply, and when the kernel got it (since the Unix epoch).
    Packet { packet: Packet, from: IpAddr, stamp: Option<Duration> },
    /// Something else.
    Strange,
    /// The error of a packet sent before.
    Error,
    /// Nothing is left.
    Nothing,
}

/// Reads one packet without waiting.
pub(super) fn receive(socket: &OwnedFd) -> Arrived {
    let mut bytes = [0; LONGEST];
    let mut control = [0; CONTROL];
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let received = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut slices,
        Some(&mut control),
        MsgFlags::MSG_DONTWAIT,
    );
    let message = match received {
        Ok(message) => message,
        Err(nix::errno::Errno::EAGAIN) => return Arrived::Nothing,
        Err(_) => return Arrived::Error,
    };
    let stamp = message.cmsgs().ok().and_then(|mut all| {
        all.find_map(|one| match one {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        })
    });
    let Some(from) = message.address.as_ref().and_then(origin::address) else { return Arrived::Strange };
    let len = message.bytes;
    let bytes = bytes.get(..len).unwrap_or(&bytes);
    match Packet::parse_reply(behind_ip_header(bytes, from), from.is_ipv4()) {
        Some(packet) => Arrived::Packet { packet, from, stamp },
        None => Arrived::Strange,
    }
}

/// Raw sockets of IPv4, and no others, show the IP header. An echo reply
/// never begins with a 4 in its upper half: its type is 0.
fn behind_ip_header(bytes: &[u8], from: IpAddr) -> &[u8] {
    match bytes.first() {
        Some(first) if from.is_ipv4() && first >> 4 == 4 => {
            bytes.get(usize::from(first & 15) * 4..).unwrap_or_default()
        }
        _ => bytes,
    }
}

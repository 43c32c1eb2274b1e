//! Who sent an ICMP error.
//!
//! The kernel keeps an error's origin in the socket's error queue
//! (`ip(7)`, `IP_RECVERR`). Where the next hop does not answer ARP or
//! neighbour discovery, the kernel sends the error to itself, from an address
//! of its own: that is silence, not a refusal.

use std::io::IoSliceMut;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmsg};

/// An error from a socket's queue.
#[derive(Debug)]
pub(crate) struct Report {
    /// Its error number.
    pub(crate) errno: i32,
    /// Who sent it, when it was ICMP.
    pub(crate) router: Option<IpAddr>,
    /// Whom the packet was for.
    pub(crate) to: Option<IpAddr>,
    /// How much of the packet came back, from its ICMP, UDP or TCP header on.
    pub(crate) len: usize,
}

/// Room for the error and the address of its sender.
const CONTROL: usize = 256;

/// Takes the oldest error of a socket; of the packet that caused it, the
/// beginning goes to `packet`.
pub(crate) fn take(socket: &impl AsFd, packet: &mut [u8]) -> Option<Report> {
    let mut control = [0; CONTROL];
    let mut slices = [IoSliceMut::new(packet)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let fd = socket.as_fd().as_raw_fd();
    let message = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(&mut control), flags).ok()?;
    let (errno, router) = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, from) => {
            Some((error.ee_errno, from.map(|from| IpAddr::V4(SockaddrIn::from(from).ip()))))
        }
        ControlMessageOwned::Ipv6RecvErr(error, from) => {
            Some((error.ee_errno, from.map(|from| IpAddr::V6(SockaddrIn6::from(from).ip()))))
        }
        _ => None,
    })?;
    let to = message.address.as_ref().and_then(address);
    let router = router.filter(|router| !router.is_unspecified());
    Some(Report { errno: i32::try_from(errno).ok()?, router, to, len: message.bytes })
}

/// The address in a socket address.
pub(crate) fn address(storage: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// Whether an address is this machine's: what it sends to such a one, it
/// sends from it.
pub(crate) fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        // Nothing is sent; any port will do.
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

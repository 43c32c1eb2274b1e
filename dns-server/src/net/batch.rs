//! Many datagrams per system call, in both directions.
//!
//! `recvmmsg` fills up to [`BATCH`] packets, each is answered into the reply
//! buffer of its slot, and `sendmmsg` sends those that have an answer. On a
//! wildcard bind the packet's destination comes along as packet info and goes
//! back with the reply, so that it leaves from the address it came to
//! (RFC 2181 §4). All buffers are made once.
//!
//! This is the one module with `unsafe`: no safe crate batches both
//! directions.
//!
//! **Invariant:** the header arrays point into sibling vectors that are never
//! resized after [`Batch::new`], and a `Batch` never leaves its thread.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

use socket2::Socket;

/// Datagrams per call: past 32 the gain is lost in the noise, and a batch's
/// buffers still fit in a second-level cache.
const BATCH: usize = 32;

/// Longest query taken over UDP, octets: four times what padding policies
/// (RFC 8467) ask of clients. A longer one is dropped, not answered in part.
const QUERY_MAX: usize = 2048;

/// Room for a reply, octets; the configured UDP size is at most this.
pub(crate) const REPLY_MAX: usize = 4096;

/// Octets of a cache line. Rooms are one line longer than a power of two:
/// otherwise the first lines of all fall in the same few places of a cache
/// (4,096 octets apart, in one set of 64) and push each other out.
const LINE: usize = 64;

/// Octets from one query's buffer to the next.
const QUERY_ROOM: usize = QUERY_MAX + LINE;

/// Octets from one reply's buffer to the next.
const REPLY_ROOM: usize = REPLY_MAX + LINE;

/// Room for one packet info of either family.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Buffers and headers for one socket.
pub(super) struct Batch {
    queries: Vec<[u8; QUERY_ROOM]>,
    replies: Vec<[u8; REPLY_ROOM]>,
    sources: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
    // Only read by the kernel, through `incoming`.
    _into: Vec<libc::iovec>,
    from: Vec<libc::iovec>,
    incoming: Vec<libc::mmsghdr>,
    outgoing: Vec<libc::mmsghdr>,
    received: usize,
    ready: usize,
    packet_info: bool,
}

impl Batch {
    /// Makes the buffers for a socket bound to `bound`.
    pub(super) fn new(bound: SocketAddr) -> Self {
        let packet_info = bound.ip().is_unspecified();
        let mut queries = vec![[0; QUERY_ROOM]; BATCH];
        let replies = vec![[0; REPLY_ROOM]; BATCH];
        // SAFETY: sockaddr_storage, iovec and mmsghdr are plain C data for which all zeros is a value.
        let (mut sources, mut into, from, mut incoming, outgoing) = unsafe {
            (
                vec![zeroed::<libc::sockaddr_storage>(); BATCH],
                vec![zeroed::<libc::iovec>(); BATCH],
                vec![zeroed::<libc::iovec>(); BATCH],
                vec![zeroed::<libc::mmsghdr>(); BATCH],
                vec![zeroed::<libc::mmsghdr>(); BATCH],
            )
        };
        let mut controls = vec![Control([0; 64]); BATCH];
        for slot in 0..BATCH {
            into[slot] = libc::iovec { iov_base: queries[slot].as_mut_ptr().cast(), iov_len: QUERY_MAX };
            let header = &mut incoming[slot].msg_hdr;
            header.msg_name = (&raw mut sources[slot]).cast();
            header.msg_iov = &raw mut into[slot];
            header.msg_iovlen = 1;
            header.msg_control = if packet_info { (&raw mut controls[slot]).cast() } else { null_mut() };
        }
        Self {
            queries,
            replies,
            sources,
            controls,
            _into: into,
            from,
            incoming,
            outgoing,
            received: 0,
            ready: 0,
            packet_info,
        }
    }

    /// Waits for packets, at most the socket's read timeout.
    pub(super) fn receive(&mut self, socket: &Socket) -> io::Result<()> {
        self.received = 0;
        for message in &mut self.incoming {
            message.msg_hdr.msg_namelen = length_of::<libc::sockaddr_storage>();
            message.msg_hdr.msg_controllen = if self.packet_info { size_of::<Control>() } else { 0 };
            message.msg_hdr.msg_flags = 0;
        }
        // SAFETY: the headers point at live buffers of the lengths they state (the module's invariant).
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.incoming.as_mut_ptr(),
                length_of::<[u8; BATCH]>(),
                libc::MSG_WAITFORONE,
                null_mut(),
            )
        };
        self.received = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(())
    }

    /// The packets received, and who sent them.
    pub(super) fn queries(&self) -> impl Iterator<Item = (&[u8], IpAddr)> {
        (0..self.received).filter_map(|slot| {
            let length = self.incoming[slot].msg_len as usize;
            Some((self.queries[slot].get(..length)?, ip_of(&self.sources[slot])?))
        })
    }

    /// Calls `respond(query, source, local address, reply)` for each packet
    /// received; it gives the length of the reply, or nothing for silence.
    pub(super) fn answer(
        &mut self,
        mut respond: impl FnMut(&[u8], IpAddr, Option<IpAddr>, &mut [u8]) -> Option<usize>,
    ) {
        self.ready = 0;
        for slot in 0..self.received {
            if self.incoming[slot].msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                continue;
            }
            let local = if self.packet_info { self.local_of(slot) } else { None };
            let length = self.incoming[slot].msg_len as usize;
            let Some(source) = ip_of(&self.sources[slot]) else { continue };
            if let Some(length) =
                respond(&self.queries[slot][..length], source, local, &mut self.replies[slot][..REPLY_MAX])
            {
                self.prepare(slot, length);
            }
        }
    }

    /// Puts the reply of `slot` in the queue to send.
    fn prepare(&mut self, slot: usize, length: usize) {
        let ready = self.ready;
        self.from[ready] =
            libc::iovec { iov_base: self.replies[slot].as_mut_ptr().cast(), iov_len: length.min(REPLY_MAX) };
        let incoming = self.incoming[slot].msg_hdr;
        let header = &mut self.outgoing[ready].msg_hdr;
        header.msg_name = incoming.msg_name;
        header.msg_namelen = incoming.msg_namelen;
        header.msg_iov = &raw mut self.from[ready];
        header.msg_iovlen = 1;
        header.msg_control = incoming.msg_control;
        header.msg_controllen = incoming.msg_controllen;
        self.ready += 1;
    }

    /// Sends the queued replies; one the kernel refuses is skipped, as a
    /// datagram may be lost anyway.
    pub(super) fn send(&mut self, socket: &Socket) {
        let mut sent = 0;
        while sent < self.ready {
            let Ok(rest) = u32::try_from(self.ready - sent) else { return };
            // SAFETY: entries sent..ready point at live buffers (the module's invariant).
            let count =
                unsafe { libc::sendmmsg(socket.as_raw_fd(), self.outgoing.as_mut_ptr().add(sent), rest, 0) };
            match usize::try_from(count) {
                Ok(count) if count > 0 => sent += count,
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                _ => sent += 1,
            }
        }
    }

    /// The address the packet of `slot` was sent to. The interface index is
    /// cleared, so that the reply follows the routing table, except where the
    /// address has no meaning without it.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "the packet info is changed through its header's pointer"
    )]
    fn local_of(&mut self, slot: usize) -> Option<IpAddr> {
        let header = &self.incoming[slot].msg_hdr;
        // SAFETY: the kernel filled msg_controllen octets of a Control that is aligned for cmsghdr; the CMSG
        // macros stay within them, and in_pktinfo and in6_pktinfo are read and written unaligned.
        unsafe {
            let message = libc::CMSG_FIRSTHDR(header);
            let first = message.as_ref()?;
            let data = libc::CMSG_DATA(message);
            match (first.cmsg_level, first.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let mut info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    info.ipi_ifindex = 0;
                    data.cast::<libc::in_pktinfo>().write_unaligned(info);
                    Some(Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)).into())
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let mut info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    if !address.is_unicast_link_local() {
                        info.ipi6_ifindex = 0;
                        data.cast::<libc::in6_pktinfo>().write_unaligned(info);
                    }
                    Some(address.into())
                }
                _ => None,
            }
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("received", &self.received)
            .field("ready", &self.ready)
            .field("controls", &self.controls.len())
            .finish_non_exhaustive()
    }
}

/// Has the kernel say where each packet was sent to, if `address` is a
/// wildcard. To be called before the bind: a packet that is queued before has
/// no packet info, and its reply would leave from another address.
pub(super) fn ask_for_packet_info(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if !address.ip().is_unspecified() {
        return Ok(());
    }
    let (fd, v6) = (socket.as_raw_fd(), address.is_ipv6());
    let (level, option) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
    let on: libc::c_int = 1;
    // SAFETY: `on` lives through the call and its size is what is stated.
    let done =
        unsafe { libc::setsockopt(fd, level, option, (&raw const on).cast(), length_of::<libc::c_int>()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn ip_of(storage: &libc::sockaddr_storage) -> Option<IpAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage, which is larger and stricter aligned, holds a sockaddr_in.
            let v4 = unsafe { &*std::ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            Some(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: likewise a sockaddr_in6.
            let v6 = unsafe { &*std::ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            Some(Ipv6Addr::from(v6.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

const fn length_of<T>() -> u32 {
    assert!(size_of::<T>() <= u32::MAX as usize);
    #[allow(clippy::cast_possible_truncation, reason = "asserted above")]
    {
        size_of::<T>() as u32
    }
}

//! Datagrams in batches: one system call for up to [`BATCH`] of them.

use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrLike, recvmmsg, sendmmsg};

/// Datagrams per system call. Beyond 32 nothing is gained on loopback.
pub const BATCH: usize = 32;

/// Room for one datagram: what EDNS makes resolvers accept today, and more.
pub const ROOM: usize = 2048;

/// Buffers and headers for one direction of one socket, whose peers have
/// addresses of one kind: a kind that could be either costs an echo more.
pub struct Batch<A> {
    /// Headers keep where addresses lie from call to call, so that those for
    /// receiving serve nothing else.
    incoming: MultiHeaders<A>,
    outgoing: MultiHeaders<A>,
    rooms: Vec<[u8; ROOM]>,
    lengths: [usize; BATCH],
    peers: [Option<A>; BATCH],
    filled: usize,
}

impl<A: SockaddrLike + Copy> Default for Batch<A> {
    fn default() -> Self {
        Self {
            incoming: MultiHeaders::preallocate(BATCH, None),
            outgoing: MultiHeaders::preallocate(BATCH, None),
            rooms: vec![[0; ROOM]; BATCH],
            lengths: [0; BATCH],
            peers: [None; BATCH],
            filled: 0,
        }
    }
}

impl<A: SockaddrLike + Copy> Batch<A> {
    /// Waits for one datagram and takes what else is there.
    ///
    /// # Errors
    /// Those of recvmmsg(2); `EAGAIN` when the socket's time-out passed.
    pub fn receive(&mut self, socket: &UdpSocket) -> Result<(), Errno> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.rooms.iter_mut().map(|room| [IoSliceMut::new(room)]).collect();
        let got =
            recvmmsg(socket.as_raw_fd(), &mut self.incoming, &mut slices, MsgFlags::MSG_WAITFORONE, None)?;
        self.filled = 0;
        for (at, datagram) in got.enumerate() {
            self.lengths[at] = datagram.bytes;
            self.peers[at] = datagram.address;
            self.filled = at + 1;
        }
        Ok(())
    }

    /// Sends what is in the batch, each to where it came from, or to the
    /// connected peer, and empties it.
    ///
    /// # Errors
    /// Those of sendmmsg(2).
    pub fn send(&mut self, socket: &UdpSocket) -> Result<(), Errno> {
        let mut from = 0;
        while from < self.filled {
            let slices: Vec<[IoSlice<'_>; 1]> =
                (from..self.filled).map(|at| [IoSlice::new(&self.rooms[at][..self.lengths[at]])]).collect();
            let peers = &self.peers[from..self.filled];
            let sent =
                sendmmsg(socket.as_raw_fd(), &mut self.outgoing, &slices, peers, [], MsgFlags::empty())?;
            from += sent.count();
        }
        self.filled = 0;
        Ok(())
    }

    /// Forgets what is in it.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Adds a datagram for the connected peer.
    ///
    /// # Panics
    /// When the batch is full or the datagram longer than [`ROOM`].
    pub fn push(&mut self, datagram: &[u8]) -> &mut [u8] {
        let at = self.filled;
        self.rooms[at][..datagram.len()].copy_from_slice(datagram);
        self.lengths[at] = datagram.len();
        self.peers[at] = None;
        self.filled += 1;
        &mut self.rooms[at][..datagram.len()]
    }

    /// Whether another datagram fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filled == BATCH
    }

    /// The datagrams in it.
    pub fn datagrams(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.rooms[..self.filled].iter_mut().zip(&self.lengths).map(|(room, length)| &mut room[..*length])
    }
}

//! The price floor: receive a batch, set QR, send it back.
//!
//! `echo ADDR:PORT` prints nothing and runs until it is stopped.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};

use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrLike};
use rhumb_bench::batch::Batch;

fn main() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = std::env::args().nth(1).ok_or("usage: echo ADDR:PORT")?.parse()?;
    let socket = UdpSocket::bind(address)?;
    match address {
        SocketAddr::V4(_) => echo::<SockaddrIn>(&socket),
        SocketAddr::V6(_) => echo::<SockaddrIn6>(&socket),
    }
}

fn echo<A: SockaddrLike + Copy>(socket: &UdpSocket) -> Result<(), Box<dyn Error>> {
    let mut batch = Batch::<A>::default();
    loop {
        batch.receive(socket)?;
        for datagram in batch.datagrams() {
            if let Some(flags) = datagram.get_mut(2) {
                *flags |= 0x80;
            }
        }
        batch.send(socket)?;
    }
}

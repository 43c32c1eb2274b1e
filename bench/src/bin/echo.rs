//! The price floor: receive a batch, set QR, send it back.
//!
//! `echo ADDR:PORT` prints nothing and runs until it is stopped.

use std::error::Error;
use std::net::UdpSocket;

use rhumb_bench::batch::Batch;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: echo ADDR:PORT")?;
    let socket = UdpSocket::bind(address)?;
    let mut batch = Batch::default();
    loop {
        batch.receive(&socket)?;
        for datagram in batch.datagrams() {
            if let Some(flags) = datagram.get_mut(2) {
                *flags |= 0x80;
            }
        }
        batch.send(&socket)?;
    }
}

//! What health checks and link probes find: a listener on every loopback
//! address that accepts and hangs up.
//!
//! `targets` runs until it is stopped.

use std::io;
use std::net::TcpListener;

use rhumb_bench::policies::PORT;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT))?;
    loop {
        // One that hung up first needs nothing either.
        let _ = listener.accept();
    }
}

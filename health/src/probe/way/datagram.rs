//! A datagram and its answer, from a connected socket of its own.
//!
//! Connected, so that only the target's datagrams arrive, and ICMP errors do
//! too. A socket for each try: what answers a try that was given up cannot be
//! taken for an answer to the next.

use std::io;
use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Protocol, Type};
use tokio::net::UdpSocket;

use super::{Way, connect, local, origin, remote};
use crate::reply::Failure;

/// Longest answer looked at; the rest is cut off. Answers of the DNS without
/// EDNS, and of other protocols to a single question, are shorter.
const LONGEST: usize = 4096;

/// Sends what `question` makes until `accept`, given both, takes an answer;
/// `None` of it means that the datagram answers something else.
pub(crate) async fn ask<T>(
    way: &Way<'_>,
    to: SocketAddr,
    question: impl Fn() -> Vec<u8>,
    accept: impl Fn(&[u8], &[u8]) -> Option<Result<T, Failure>>,
) -> Result<T, Failure> {
    let socket = open(way, to)?;
    let sent = question();
    socket.send(&sent).await.map_err(|error| local("cannot send", &error))?;
    let mut answer = vec![0; LONGEST];
    loop {
        match socket.recv(&mut answer).await {
            Ok(len) => {
                if let Some(result) = accept(&sent, answer.get(..len).unwrap_or_default()) {
                    return result;
                }
            }
            Err(error) => {
                let router = origin::take(&socket, &mut []).and_then(|report| report.router);
                return Err(remote(&error, router));
            }
        }
    }
}

fn open(way: &Way<'_>, to: SocketAddr) -> Result<UdpSocket, Failure> {
    let socket = connect::socket(way, to, Type::DGRAM, Protocol::UDP)?;
    let wanted = match to {
        SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
        SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
    };
    wanted.map_err(|errno| local("cannot prepare the socket", &io::Error::from(errno)))?;
    socket.connect(&to.into()).map_err(|error| local("cannot connect", &error))?;
    UdpSocket::from_std(socket.into()).map_err(|error| local("cannot wait", &error))
}

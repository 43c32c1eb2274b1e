//! TCP, from the source and through the interface that the probe names.

use std::io;
use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::{Way, local, origin, remote};
use crate::reply::Failure;

/// A connection.
pub(crate) type Stream = TcpStream;

/// A socket bound as the probe says, that does not block.
///
/// # Errors
/// Where the machine has no such address, interface or descriptor left, or the
/// interface needs a right that this process lacks.
pub(crate) fn socket(
    way: &Way<'_>,
    to: SocketAddr,
    kind: Type,
    protocol: Protocol,
) -> Result<Socket, Failure> {
    let domain = Domain::for_address(to);
    let socket = Socket::new(domain, kind.nonblocking(), Some(protocol))
        .map_err(|error| local("cannot open a socket", &error))?;
    bind(way, &socket)?;
    Ok(socket)
}

/// Binds a socket to what the probe names.
pub(crate) fn bind(way: &Way<'_>, socket: &Socket) -> Result<(), Failure> {
    if let Some(interface) = &way.probe.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(|error| local(&format!("cannot use interface {interface}"), &error))?;
    }
    if let Some(source) = way.probe.source {
        // The port is chosen when it connects, so that many connections from
        // one address may share it. It fails where there are no ports, and
        // does no harm.
        let _ = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
        socket
            .bind(&SocketAddr::new(source, 0).into())
            .map_err(|error| local(&format!("cannot send from {source}"), &error))?;
    }
    Ok(())
}

/// Connects.
pub(crate) async fn connect(way: &Way<'_>, to: SocketAddr) -> Result<Stream, Failure> {
    let socket = socket(way, to, Type::STREAM, Protocol::TCP)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() == Some(IN_PROGRESS) => {}
        // On this machine itself a refusal may come at once.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Err(remote(&error, None)),
        Err(error) => return Err(local("cannot connect", &error)),
        Ok(()) => {}
    }
    let stream = TcpStream::from_std(socket.into()).map_err(|error| local("cannot wait", &error))?;
    let ready = stream.ready(Interest::WRITABLE | Interest::ERROR).await;
    let ready = ready.map_err(|error| local("cannot wait", &error))?;
    if !(ready.is_error() || ready.is_read_closed() || ready.is_write_closed()) {
        return Ok(stream);
    }
    match stream.take_error() {
        Ok(None) => Ok(stream),
        Ok(Some(error)) | Err(error) => {
            let router = origin::take(&stream, &mut []).and_then(|report| report.router);
            Err(remote(&error, router))
        }
    }
}

/// The handshake is under way.
const IN_PROGRESS: i32 = nix::errno::Errno::EINPROGRESS as i32;

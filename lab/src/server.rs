//! Daemons of the lab: a thread that listens, a thread for each connection.
//!
//! A daemon can be stopped and started again in place: a stopped one has
//! closed its socket, so that whoever comes is refused, as behind a daemon
//! that was killed. It waits on its socket and on a pair of its own, without
//! waking in between: a world has forty of them, and several worlds share two
//! cores.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};

use crate::failure::{Done, Failure, While as _};
use crate::namespaces::Net;

/// What a daemon does with a connection.
pub(crate) type Handler = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// A daemon, listening or not.
pub(crate) struct Server {
    space: String,
    address: SocketAddr,
    handler: Handler,
    running: Option<Running>,
}

struct Running {
    /// Closing it stops the thread.
    stop: UnixStream,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts one.
    pub(crate) fn start(net: &Net, (space, address): (&str, SocketAddr), handler: Handler) -> Done<Self> {
        let mut server = Self { space: space.to_owned(), address, handler, running: None };
        server.resume(net)?;
        Ok(server)
    }

    /// Listens again after [`stop`](Self::stop).
    pub(crate) fn resume(&mut self, net: &Net) -> Done {
        let act = format!("listening on {} in {}", self.address, self.space);
        if self.running.is_some() {
            return Failure::because(act + ": already does");
        }
        let (address, handler) = (self.address, Arc::clone(&self.handler));
        let running = net.inside(&self.space, || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let (stop, stopped) = UnixStream::pair()?;
            let thread = thread::Builder::new().spawn(move || accept(&listener, stopped, &handler))?;
            Ok::<_, std::io::Error>(Running { stop, thread })
        })?;
        self.running = Some(running.doing(act)?);
        Ok(())
    }

    /// Closes the socket; returns when it is closed.
    pub(crate) fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves until the other end of `stopped` is closed.
fn accept(listener: &TcpListener, mut stopped: UnixStream, handler: &Handler) {
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
        if poll(&mut ready, None).is_err() {
            continue;
        }
        if !ready[1].revents().is_empty() {
            let _ = stopped.read(&mut [0]);
            return;
        }
        if let Ok((stream, _)) = listener.accept() {
            let handler = Arc::clone(handler);
            // Without threads left the client sees a closed connection.
            let _ = thread::Builder::new().spawn(move || {
                let _ = stream.set_nonblocking(false);
                handler(stream);
            });
        }
    }
}

//! Many questions to one server, many of them in flight.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use crate::question::Question;

/// How questions travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Datagrams, with an EDNS buffer of so many octets; none without EDNS.
    Udp(Option<u16>),
    /// One connection, with EDNS.
    Tcp,
}

/// Questions in flight: what socket buffers of 200 KiB surely hold.
const WINDOW: usize = 50;
/// How long a batch's replies are waited for before it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);
const TRIES: usize = 5;

/// The octets of `question`.
pub(crate) fn packet(question: &Question, (id, way): (u16, Way)) -> Vec<u8> {
    let size = match way {
        Way::Udp(size) => size,
        Way::Tcp => Some(4096),
    };
    let mut out = Vec::new();
    for word in [id, 0x0100, 1, 0, 0, u16::from(size.is_some())] {
        out.extend(word.to_be_bytes());
    }
    out.extend(question.name.as_wire());
    out.extend(question.rtype.0.to_be_bytes());
    out.extend([0, 1]);
    if let Some(size) = size {
        out.extend([0, 0, 41]);
        out.extend(size.to_be_bytes());
        out.extend([0; 6]);
    }
    out
}

/// The reply to each question; nothing where none came.
pub(crate) fn all(server: SocketAddr, questions: &[&Question], way: Way) -> Vec<Option<Vec<u8>>> {
    match way {
        Way::Udp(_) => over_udp(server, questions, way),
        Way::Tcp => over_tcp(server, questions),
    }
}

/// The reply to one question over UDP, if it comes at once.
pub(crate) fn once(server: SocketAddr, question: &Question) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket.send(&packet(question, (1, Way::Udp(None)))).ok()?;
    let mut buffer = vec![0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

fn over_udp(server: SocketAddr, questions: &[&Question], way: Way) -> Vec<Option<Vec<u8>>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut replies: Vec<Option<Vec<u8>>> = vec![None; questions.len()];
    let mut buffer = vec![0; 65_536];
    for start in (0..questions.len()).step_by(WINDOW) {
        let batch = start..(start + WINDOW).min(questions.len());
        for _ in 0..TRIES {
            let mut open: HashMap<u16, usize> = HashMap::new();
            for index in batch.clone().filter(|&index| replies[index].is_none()) {
                let id = u16::try_from(index % 65_536).unwrap();
                socket.send(&packet(questions[index], (id, way))).unwrap();
                open.insert(id, index);
            }
            while !open.is_empty() {
                let Ok(length) = socket.recv(&mut buffer) else { break };
                let id = u16::from_be_bytes([buffer[0], buffer[1]]);
                if let Some(index) = open.remove(&id) {
                    replies[index] = Some(buffer[..length].to_vec());
                }
            }
        }
    }
    replies
}

/// In batches on one connection; replies may come in any order.
fn over_tcp(server: SocketAddr, questions: &[&Question]) -> Vec<Option<Vec<u8>>> {
    let mut replies: Vec<Option<Vec<u8>>> = vec![None; questions.len()];
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for (number, batch) in questions.chunks(WINDOW).enumerate() {
        let mut out = Vec::new();
        for (index, question) in batch.iter().enumerate() {
            let packet = packet(question, (u16::try_from(index).unwrap(), Way::Tcp));
            out.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
            out.extend(packet);
        }
        stream.write_all(&out).unwrap();
        for _ in batch {
            let Ok(reply) = read_message(&mut stream) else { return replies };
            let id = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
            replies[number * WINDOW + id] = Some(reply);
        }
    }
    replies
}

fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

//! DNS over QUIC (RFC 9250).
//!
//! Each query has a stream of its own: a length, the message, the end; the
//! answer comes back likewise. A client that breaks a rule loses the whole
//! connection, as §4.3.3 asks. Streams at once, octets on their way and the
//! time without a new stream are bounded; pings keep no connection. Early data
//! is not taken: it could be replayed, and a handshake is one round trip.
//!
//! When places run short, newcomers must first show that they receive at the
//! address they send from, so that forged ones take no place.

use std::net::UdpSocket;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{
    Connection, Endpoint, EndpointConfig, Incoming, ReadToEndError, RecvStream, SendStream, ServerConfig,
    TokioRuntime, TransportConfig, VarInt,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::https::QUERY_MAX;
use super::places::{Limits, Places};
use super::respondent::{Caller, Respondent};
use crate::query::{Folded, Query};
use crate::respond::Transport;

/// Queries at once on one connection.
const STREAMS: u32 = 32;

/// Octets on their way to us on one connection: a few of the longest queries.
const WINDOW: u32 = 16 << 10;

/// Octets of first packets kept of one newcomer, and of all of them.
const BEFORE_HELLO: (u64, u64) = (16 << 10, 4 << 20);

/// Nothing is wrong (RFC 9250 §4.3).
const NO_ERROR: VarInt = VarInt::from_u32(0);
/// The client broke a rule.
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);
/// The client has more than its share.
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(4);

/// How connections are served; `tls` knows certificate and ALPN.
pub(super) fn config(tls: tokio_rustls::rustls::ServerConfig, limits: Limits) -> ServerConfig {
    let tls = QuicServerConfig::try_from(tls).expect("ring knows the suite that QUIC begins with");
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(STREAMS.into())
        .max_concurrent_uni_streams(0u32.into())
        .stream_receive_window(WINDOW.into())
        .receive_window(WINDOW.into())
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(limits.idle.try_into().ok());
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(Arc::new(transport))
        .max_incoming(limits.connections)
        .incoming_buffer_size(BEFORE_HELLO.0)
        .incoming_buffer_size_total(BEFORE_HELLO.1);
    config
}

/// Lets clients in for ever.
pub(super) async fn accept(
    socket: UdpSocket,
    config: ServerConfig,
    (respondent, places): (Rc<Respondent>, Rc<Places>),
) {
    let runtime = Arc::new(TokioRuntime);
    let endpoint = match Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            tracing::error!(%error, "cannot serve QUIC");
            return;
        }
    };
    loop {
        let permit = places.wait().await;
        let Some(incoming) = endpoint.accept().await else { return };
        if places.is_busy() && !incoming.remote_address_validated() {
            // It cannot but be possible: its address is not validated.
            let _ = incoming.retry();
            continue;
        }
        let (respondent, places) = (Rc::clone(&respondent), Rc::clone(&places));
        spawn_local(async move { attend(incoming, permit, (&respondent, &places)).await });
    }
}

/// One connection, from handshake to last query.
async fn attend(
    incoming: Incoming,
    permit: OwnedSemaphorePermit,
    (respondent, places): (&Rc<Respondent>, &Rc<Places>),
) {
    let source = incoming.remote_address().ip().to_canonical();
    let local = incoming.local_ip();
    let Some(_place) = places.take(permit, source) else {
        respondent.counters().refuse_connection();
        return incoming.refuse();
    };
    let Ok(Ok(connection)) = timeout(places.message(), incoming.into_future()).await else { return };
    let caller = Caller { source, local, transport: Transport::Quic };
    let code = loop {
        match timeout(places.idle(), connection.accept_bi()).await {
            Ok(Ok(streams)) => {
                let (respondent, connection) = (Rc::clone(respondent), connection.clone());
                spawn_local(exchange(streams, (connection, places.message()), (caller, respondent)));
            }
            Ok(Err(_)) => return,
            Err(_) => break NO_ERROR,
        }
    };
    connection.close(code, b"");
}

/// One query and its answer.
async fn exchange(
    (mut send, mut receive): (SendStream, RecvStream),
    (connection, patience): (Connection, Duration),
    (caller, respondent): (Caller, Rc<Respondent>),
) {
    let received = match timeout(patience, receive.read_to_end(2 + QUERY_MAX)).await {
        Ok(Ok(received)) => received,
        // It changed its mind, as it may (§4.3.1), or is gone.
        Ok(Err(ReadToEndError::Read(_))) => return,
        Ok(Err(ReadToEndError::TooLong)) | Err(_) => return connection.close(EXCESSIVE_LOAD, b""),
    };
    let reply = query(&received).and_then(|query| {
        respondent.answer(query, (&caller, None), |reply| {
            let length = u16::try_from(reply.len()).unwrap_or(u16::MAX);
            [&length.to_be_bytes(), reply].concat()
        })
    });
    let Some(reply) = reply else {
        return connection.close(PROTOCOL_ERROR, b"");
    };
    if let Ok(Ok(())) = timeout(patience, send.write_all(&reply)).await {
        // It fails only when it was reset, which is the client's choice.
        let _ = send.finish();
    }
}

/// The one query of a stream: its length before it, its id 0 (§4.2.1), no
/// option that belongs to TCP (§4.3.3).
fn query(received: &[u8]) -> Option<&[u8]> {
    let (length, query) = received.split_first_chunk::<2>()?;
    let whole = usize::from(u16::from_be_bytes(*length)) == query.len();
    let anonymous = query.starts_with(&[0, 0]);
    let parsed = Query::parse(query, &mut Folded::new()).ok();
    let keepalive = parsed.and_then(|query| query.edns).is_some_and(|edns| edns.keepalive);
    (whole && anonymous && !keepalive).then_some(query)
}

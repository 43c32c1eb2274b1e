//! Counters of the query path.
//!
//! Each worker owns one block that no other thread writes, padded so that no
//! two share a cache line; readers add the blocks up. A counter is therefore
//! a plain load, add and store, not an atomic read-modify-write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::Verdict;
use crate::observe::Output;
use crate::query::Rcode;
use crate::respond::Transport;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One worker's counters.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct Counters {
            $($name: AtomicU64,)*
        }

        /// Sums over all workers, or one worker's own.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct Totals {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            fn add_to(&self, totals: &mut Totals) {
                $(totals.$name += self.$name.load(Ordering::Relaxed);)*
            }
        }

        impl Totals {
            /// Name and value of each, for status and metrics.
            #[must_use]
            pub fn pairs(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Queries received over UDP.
    udp_queries,
    /// Queries received over TCP.
    tcp_queries,
    /// Queries received over TLS.
    tls_queries,
    /// Queries received over HTTPS.
    https_queries,
    /// Queries received over QUIC.
    quic_queries,
    /// Connections refused: their source has its share.
    connections_refused,
    /// Datagrams and connections of proxies without a readable PROXY header.
    proxy_errors,
    /// Packets that got no answer: too short, or responses themselves.
    dropped,
    /// Answers with NOERROR.
    noerror,
    /// Answers with FORMERR.
    formerr,
    /// Answers with SERVFAIL.
    servfail,
    /// Answers with NXDOMAIN.
    nxdomain,
    /// Answers with NOTIMP.
    notimp,
    /// Answers with REFUSED.
    refused,
    /// Answers with BADCOOKIE.
    badcookie,
    /// Answers with any other rcode.
    other_rcode,
    /// Answers cut short with TC.
    truncated,
    /// Queries with EDNS.
    edns,
    /// Queries with a Client Subnet that was used or echoed.
    client_subnet,
    /// Queries with a valid cookie.
    cookies,
    /// Answers over UDP not sent, for want of rate.
    rate_dropped,
    /// Answers over UDP cut short, for want of rate.
    rate_slipped,
    /// Answers over UDP beyond the rate and sent all the same.
    rate_spared,
    /// Lines in the query log.
    log_lines,
    /// Lines that the query log lost.
    log_lost,
    /// Messages given to dnstap.
    dnstap_messages,
    /// Messages that dnstap lost.
    dnstap_lost,
    /// Answers chosen by a service's policy.
    steered,
    /// Referrals to a child zone.
    referrals,
}

impl Counters {
    pub(crate) fn query(&self, transport: Transport) {
        bump(match transport {
            Transport::Udp => &self.udp_queries,
            Transport::Tcp => &self.tcp_queries,
            Transport::Tls => &self.tls_queries,
            Transport::Https => &self.https_queries,
            Transport::Quic => &self.quic_queries,
        });
    }

    pub(crate) fn refuse_proxy(&self) {
        bump(&self.proxy_errors);
    }

    pub(crate) fn refuse_connection(&self) {
        bump(&self.connections_refused);
    }

    pub(crate) fn drop_packet(&self) {
        bump(&self.dropped);
    }

    pub(crate) fn rcode(&self, rcode: Rcode) {
        bump(match rcode {
            Rcode::NoError => &self.noerror,
            Rcode::FormErr => &self.formerr,
            Rcode::ServFail => &self.servfail,
            Rcode::NxDomain => &self.nxdomain,
            Rcode::NotImp => &self.notimp,
            Rcode::Refused => &self.refused,
            Rcode::BadCookie => &self.badcookie,
            Rcode::YxDomain | Rcode::NotAuth | Rcode::BadVers => &self.other_rcode,
        });
    }

    pub(crate) fn truncate(&self) {
        bump(&self.truncated);
    }

    pub(crate) fn edns(&self, subnet: bool) {
        bump(&self.edns);
        if subnet {
            bump(&self.client_subnet);
        }
    }

    pub(crate) fn limit(&self, verdict: Verdict) {
        match verdict {
            Verdict::Send => {}
            Verdict::Spare => bump(&self.rate_spared),
            Verdict::Slip => bump(&self.rate_slipped),
            Verdict::Drop => bump(&self.rate_dropped),
        }
    }

    pub(crate) fn observe(&self, output: Output, kept: bool) {
        bump(match (output, kept) {
            (Output::Log, true) => &self.log_lines,
            (Output::Log, false) => &self.log_lost,
            (Output::Dnstap, true) => &self.dnstap_messages,
            (Output::Dnstap, false) => &self.dnstap_lost,
        });
    }

    pub(crate) fn cookie(&self) {
        bump(&self.cookies);
    }

    pub(crate) fn steer(&self) {
        bump(&self.steered);
    }

    pub(crate) fn refer(&self) {
        bump(&self.referrals);
    }
}

/// One writer per counter: no lock prefix needed.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// The blocks of all workers.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    blocks: Arc<Mutex<Vec<Arc<Counters>>>>,
}

impl Stats {
    /// A new block for one worker.
    #[must_use]
    pub fn block(&self) -> Arc<Counters> {
        let block = Arc::new(Counters::default());
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&block));
        block
    }

    /// Sums over all workers.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for block in self.blocks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            block.add_to(&mut totals);
        }
        totals
    }
}

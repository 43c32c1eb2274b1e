//! How good a link really is for clients, in nats.
//!
//! Transfers are judged by published models of what users wait for, linear
//! truths by coefficients as somebody else might weigh the same facts. Only
//! [`Truth::FORMULA`] is what the hand-set formula believes.
//!
//! A transfer takes slow start until the first loss, then the pace that TCP
//! keeps with losses, and a time-out now and then (Cardwell, Savage and
//! Anderson, "Modeling TCP Latency", INFOCOM 2000; Padhye et al.,
//! "Modeling TCP Throughput", SIGCOMM 1998). Streams that pace by bandwidth
//! hardly mind loss up to 2 % (BBRv2's threshold) and give way beyond.

/// All that decides what clients get, undisturbed by measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Operator's rating, 1–100.
    pub(crate) quality: f64,
    pub(crate) price_km: f64,
    pub(crate) weight: f64,
    /// Of the link, as probes would see it in the long run.
    pub(crate) loss: f64,
    pub(crate) delay_ms: f64,
    pub(crate) jitter_ms: f64,
    /// Of the way from the client to the link, which no probe sees.
    pub(crate) way_ms: f64,
    pub(crate) way_loss: f64,
    /// More or less than usual, nats.
    pub(crate) capacity: f64,
}

/// What is good.
#[derive(Clone, Copy, Debug)]
pub enum Truth {
    /// Nats for: a point of quality/100, 3,000 km of price, a unit of weight,
    /// ln(loss + 1/120), ln(delay), 100 ms of jitter, 100 ms beyond 150 ms.
    Linear([f64; 7]),
    /// − ln of the time for so many segments of 1,460 octets by loss-minding
    /// TCP.
    Transfer(f64),
    /// ln of the rate of a stream that paces by bandwidth.
    Stream,
}

impl Truth {
    /// The hand-set formula, as its documentation states it.
    pub const FORMULA: Self = Self::Linear([0.5, -1.0, 1.0, -0.5, -1.0, -0.5, -0.3]);
    /// Real-time users: each loss hurts, distance too; ratings are hearsay.
    pub const AVERSE: Self = Self::Linear([0.1, -1.5, 0.5, -1.2, -0.5, -2.0, -1.0]);
    /// Users to whom the way is nearly all: the link's own delay is small
    /// beside it.
    pub const DISTANT: Self = Self::Linear([1.5, -2.5, 0.5, -0.3, -0.4, -0.2, 0.0]);
    /// A page: 100 kB.
    pub const PAGE: Self = Self::Transfer(70.0);
    /// A download: 1 MB.
    pub const DOWNLOAD: Self = Self::Transfer(700.0);

    /// The utility of a link, nats; more is better, only differences count.
    pub(crate) fn utility(&self, facts: &Facts) -> f64 {
        let rtt_s = (facts.delay_ms + facts.way_ms) / 1_000.0;
        let loss = 1.0 - (1.0 - facts.loss) * (1.0 - facts.way_loss);
        let wanted = WANTED * facts.weight.ln();
        match self {
            Self::Linear(nats) => {
                let terms = [
                    facts.quality / 100.0,
                    facts.price_km / 3_000.0,
                    facts.weight,
                    (facts.loss + 1.0 / 120.0).ln(),
                    facts.delay_ms.ln(),
                    facts.jitter_ms / 100.0,
                    (facts.delay_ms - 150.0).max(0.0) / 100.0,
                ];
                nats.iter().zip(terms).map(|(nats, term)| nats * term).sum()
            }
            Self::Transfer(segments) => {
                let jitter_s = facts.jitter_ms / 1_000.0;
                wanted + facts.capacity - transfer_s(*segments, rtt_s + jitter_s, loss).ln()
            }
            Self::Stream => wanted + facts.capacity + stream_rate(rtt_s, loss).ln(),
        }
    }
}

/// Nats for twice the `prefer:`, over ln 2: ours.
const WANTED: f64 = 0.5;

/// Segments sent at first (RFC 6928).
const FIRST_WINDOW: f64 = 10.0;

/// Growth of the window for a round of slow start.
const GROWTH: f64 = 2.0;

/// Shortest time-out, s: Linux's.
const MIN_TIMEOUT_S: f64 = 0.2;

/// Rounds before the first octet: TCP, TLS 1.3, the request.
const HANDSHAKES: f64 = 3.0;

/// Largest window, segments: 64 kB scaled by what usual receivers grow to, ours.
const MAX_WINDOW: f64 = 350.0;

/// Time for a transfer of new clients, s.
fn transfer_s(segments: f64, rtt_s: f64, loss: f64) -> f64 {
    let loss = loss.clamp(1e-6, 0.5);
    let timeout_s = (2.0 * rtt_s).max(MIN_TIMEOUT_S);
    // Segments until the first loss, Cardwell's equation (5).
    let some_loss = 1.0 - (1.0 - loss).powf(segments);
    let smooth = (some_loss * (1.0 - loss) / loss + 1.0).min(segments);
    let rounds = (smooth * (GROWTH - 1.0) / FIRST_WINDOW + 1.0).log(GROWTH);
    // A handshake's loss waits for a time-out of a second (RFC 6298), three
    // rounds of them.
    let shaking_s = HANDSHAKES * (rtt_s + 1.0 * loss / (1.0 - loss));
    // The loss is repaired in a round, or by a time-out where the window is
    // too small for three duplicates, equations (16) to (19).
    let window = smooth * (GROWTH - 1.0) / GROWTH + FIRST_WINDOW / GROWTH;
    let silent = (3.0 / window).min(1.0);
    let recovering_s = some_loss * (silent * timeout_s / (1.0 - loss) + (1.0 - silent) * rtt_s);
    shaking_s + rounds * rtt_s + recovering_s + (segments - smooth) / steady_rate(rtt_s, loss, timeout_s)
}

/// Segments a second of a long transfer: Padhye's equation (32), with an
/// acknowledgement for every second segment.
fn steady_rate(rtt_s: f64, loss: f64, timeout_s: f64) -> f64 {
    let halving_s = rtt_s * (4.0 * loss / 3.0).sqrt();
    let silence_s = timeout_s * (3.0 * (1.5 * loss).sqrt()).min(1.0) * loss * (1.0 + 32.0 * loss * loss);
    (MAX_WINDOW / rtt_s).min(1.0 / (halving_s + silence_s))
}

/// Loss that pacing by bandwidth bears (BBRv2).
const BORNE_LOSS: f64 = 0.02;

/// Rate of a stream, segments a second: the pace follows what was delivered,
/// over the rounds that ramping up and repairing take.
fn stream_rate(rtt_s: f64, loss: f64) -> f64 {
    let giving_way = (loss / BORNE_LOSS).max(1.0);
    // A player's own 20 ms a round bound what short ways gain: ours.
    (1.0 - loss) / ((rtt_s + 0.02) * giving_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_facts_are_worse_for_all() {
        let usual = Facts {
            quality: 60.0,
            price_km: 1_000.0,
            weight: 1.0,
            loss: 0.02,
            delay_ms: 100.0,
            jitter_ms: 5.0,
            way_ms: 21.0,
            way_loss: 0.0,
            capacity: 0.0,
        };
        let rows = [
            (Facts { loss: 0.05, ..usual }, "loss"),
            (Facts { delay_ms: 150.0, ..usual }, "delay"),
            (Facts { price_km: 3_000.0, way_ms: 63.0, ..usual }, "distance"),
            (Facts { weight: 0.5, ..usual }, "hardly wanted"),
        ];
        for truth in
            [Truth::FORMULA, Truth::AVERSE, Truth::DISTANT, Truth::PAGE, Truth::DOWNLOAD, Truth::Stream]
        {
            for (worse, why) in &rows {
                let cost = truth.utility(&usual) - truth.utility(worse);
                assert!(cost > 0.05 && cost < 3.0, "{truth:?}: {why}: {cost}");
            }
        }
    }

    #[test]
    fn transfers_take_what_they_take() {
        let rows = [
            (70.0, 0.1, 0.0, 0.4..0.8, "a page at 100 ms: three handshakes, three rounds"),
            (700.0, 0.1, 0.0, 0.7..1.2, "a megabyte: six rounds"),
            (700.0, 0.1, 0.02, 5.0..20.0, "at 2 % of loss about 6 segments a round"),
            (70.0, 0.1, 0.02, 0.7..2.5, "a page often meets no loss"),
        ];
        for (segments, rtt_s, loss, expected, why) in rows {
            let got = transfer_s(segments, rtt_s, loss);
            assert!(expected.contains(&got), "{why}: {got} s");
        }
    }
}

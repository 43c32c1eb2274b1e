//! Who votes here, and what of them was heard.
//!
//! A prober is its site and its name there. It has one seat: a new connection
//! of the same run (*epoch*) or of a newer one takes it, because the old
//! connection is most likely one that died unnoticed. An older run is turned
//! away while a newer one sits, so that two processes of one name do not
//! unseat each other for ever; when nobody sits it may come in, because a
//! clock that was set back must not silence a prober.
//!
//! Within a run the numbers of messages only grow, over all connections.
//!
//! **Invariant:** pure but for the bell that unseats.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::wire::Hello;

/// Probers at most, each with up to a line and TLS's buffers in memory
/// (0.4 MB): 100 MB if all are hostile.
const MAX_SEATED: usize = 256;

/// Probers of one site at most: one bad certificate must leave seats for
/// the other sites.
const MAX_OF_SITE: usize = 16;

/// Probers remembered at most, most of them gone: for their numbers' sake.
const MAX_KNOWN: usize = 4 * MAX_SEATED;

/// Who is there.
#[derive(Default, Debug)]
pub(super) struct Guests {
    known: HashMap<Who, Guest>,
    seats: u64,
}

type Who = (Arc<str>, Arc<str>);

#[derive(Debug)]
struct Guest {
    epoch: u64,
    seq: u64,
    seat: Option<(u64, oneshot::Sender<()>)>,
}

/// A place among the guests.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) site: Arc<str>,
    pub(super) prober: Arc<str>,
    number: u64,
}

/// Why someone is not heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum NotHeard {
    #[error("{MAX_SEATED} probers vote here already")]
    Full,
    #[error("{MAX_OF_SITE} probers of this site vote here already")]
    SiteFull,
    #[error("a newer run of a prober of this site and name votes here; if both are meant, give them names")]
    Older,
    #[error("message {seq} comes after {last}: numbers must grow")]
    Backwards { last: u64, seq: u64 },
    #[error("a newer connection of this prober took its place")]
    Unseated,
}

impl Guests {
    /// Gives whoever says `hello` a seat, and a bell that rings (closes) when
    /// someone takes it.
    pub(super) fn admit(&mut self, hello: &Hello) -> Result<(Seat, oneshot::Receiver<()>), NotHeard> {
        let who = (Arc::clone(&hello.site), Arc::clone(&hello.prober));
        let is_seated = |guest: &Guest| guest.seat.is_some();
        match self.known.get(&who).filter(|guest| is_seated(guest)) {
            Some(sitting) if sitting.epoch > hello.epoch => return Err(NotHeard::Older),
            Some(_) => {}
            None => {
                let seated = self.known.iter().filter(|(_, guest)| is_seated(guest));
                let of_site = seated.clone().filter(|((site, _), _)| *site == hello.site).count();
                if of_site >= MAX_OF_SITE {
                    return Err(NotHeard::SiteFull);
                }
                if seated.count() >= MAX_SEATED {
                    return Err(NotHeard::Full);
                }
            }
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.retain(|_, guest| is_seated(guest));
        }
        self.seats += 1;
        let (site, prober) = who.clone();
        let seat = Seat { site, prober, number: self.seats };
        let (bell, rung) = oneshot::channel();
        let guest = self.known.entry(who).or_insert(Guest { epoch: hello.epoch, seq: 0, seat: None });
        if guest.epoch != hello.epoch {
            (guest.epoch, guest.seq) = (hello.epoch, 0);
        }
        guest.seat = Some((seat.number, bell));
        Ok((seat, rung))
    }

    /// Notes message number `seq` from `seat`.
    pub(super) fn note(&mut self, seat: &Seat, seq: u64) -> Result<(), NotHeard> {
        let guest = self.sitting(seat).ok_or(NotHeard::Unseated)?;
        if seq <= guest.seq {
            return Err(NotHeard::Backwards { last: guest.seq, seq });
        }
        guest.seq = seq;
        Ok(())
    }

    /// Takes the seat back; says whether it was still theirs.
    pub(super) fn leave(&mut self, seat: &Seat) -> bool {
        self.sitting(seat).map(|guest| guest.seat = None).is_some()
    }

    fn sitting(&mut self, seat: &Seat) -> Option<&mut Guest> {
        let who = (Arc::clone(&seat.site), Arc::clone(&seat.prober));
        self.known
            .get_mut(&who)
            .filter(|guest| guest.seat.as_ref().is_some_and(|(number, _)| *number == seat.number))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hello(site: &str, prober: &str, epoch: u64) -> Hello {
        Hello::new(&Arc::from(site), &Arc::from(prober), Duration::from_millis(epoch))
    }

    /// One thing that happens. Connections are numbered as they were tried.
    enum Act {
        Come(&'static str, u64),
        Say(usize, u64),
        Leave(usize),
    }

    #[test]
    fn seats_and_numbers() {
        use Act::{Come, Leave, Say};
        type Row = (Act, Option<&'static str>, &'static str);
        let rows: [Row; 17] = [
            (Come("a", 10), None, "0: welcome"),
            (Say(0, 1), None, "its first message"),
            (Say(0, 1), Some("comes after 1"), "the same again"),
            (Say(0, 5), None, "gaps are well"),
            (Come("a", 10), None, "1: the same run, on a new connection"),
            (Say(0, 6), Some("took its place"), "the old one is not heard any more"),
            (Say(1, 5), Some("comes after 5"), "numbers go on over connections"),
            (Say(1, 6), None, "and grow"),
            (Come("b", 1), None, "2: another prober has a seat of its own"),
            (Say(2, 1), None, "and its own numbers"),
            (Come("a", 11), None, "3: a newer run"),
            (Say(3, 1), None, "starts anew"),
            (Come("a", 10), Some("newer run"), "4: the older one must not come back"),
            (Leave(1), Some("not its own"), "who was unseated takes nobody's seat away"),
            (Say(3, 2), None, "who sits, sits"),
            (Leave(3), None, "gone"),
            (Come("a", 10), None, "5: nobody sits there: a clock set back"),
        ];
        let mut guests = Guests::default();
        let mut seats = Vec::new();
        for (act, want, why) in rows {
            let got = match act {
                Come(prober, epoch) => match guests.admit(&hello("south", prober, epoch)) {
                    Ok(seat) => {
                        seats.push(Some(seat));
                        None
                    }
                    Err(refused) => {
                        seats.push(None);
                        Some(refused.to_string())
                    }
                },
                Say(at, seq) => {
                    let (seat, _) = seats[at].as_ref().expect(why);
                    guests.note(seat, seq).err().map(|error| error.to_string())
                }
                Leave(at) => {
                    let (seat, _) = seats[at].as_ref().expect(why);
                    (!guests.leave(seat)).then(|| "not its own".to_owned())
                }
            };
            match (want, &got) {
                (None, None) => {}
                (Some(want), Some(got)) => assert!(got.contains(want), "{why}: {got}"),
                _ => panic!("{why}: {got:?}"),
            }
        }
        let (_, bell) = seats[0].as_mut().expect("the first");
        assert!(
            bell.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed),
            "the bell rang"
        );
    }

    #[test]
    fn seats_are_few() {
        let mut guests = Guests::default();
        let mut bells = Vec::new();
        for site in 0..MAX_SEATED / MAX_OF_SITE {
            for prober in 0..MAX_OF_SITE {
                bells.push(
                    guests.admit(&hello(&site.to_string(), &prober.to_string(), 1)).expect("there is room"),
                );
            }
        }
        let refused = |guests: &mut Guests, site| guests.admit(&hello(site, "x", 1)).err();
        assert_eq!(refused(&mut guests, "0"), Some(NotHeard::SiteFull));
        assert_eq!(refused(&mut guests, "new"), Some(NotHeard::Full));
        assert!(guests.admit(&hello("0", "0", 2)).is_ok(), "one that sits may come again");
        assert!(guests.leave(&bells[MAX_OF_SITE].0));
        assert!(guests.admit(&hello("new", "x", 1)).is_ok(), "a seat is free");
        for run in 0..2 * MAX_KNOWN {
            let _ = guests.admit(&hello("new", "x", 1)).map(|(seat, _)| guests.leave(&seat));
            let _ = guests.admit(&hello("new", &run.to_string(), 1)).map(|(seat, _)| guests.leave(&seat));
        }
        assert!(guests.known.len() <= MAX_KNOWN, "those who left are forgotten");
    }
}

//! An ordered list of groups of tied datacenters, as one rank per datacenter.
//!
//! Ranks, not lists of lists: two clients are in one class exactly when all
//! ranks agree, so the ranks themselves are the key under which a class is
//! found again, and refining a million places allocates nothing.

use rhumb_zones::DatacenterId;

/// A datacenter in which a service has VIPs, as steering sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Member {
    pub(crate) id: DatacenterId,
    /// Highest priority among its VIPs.
    pub(crate) priority: i32,
    /// Its luck in lotteries, from its name.
    pub(crate) luck: u64,
    /// Its weight in lotteries.
    pub(crate) weight: u32,
}

/// Datacenters as groups: rank 0 is best, equal ranks are tied.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    members: &'a [Member],
    ranks: Vec<u8>,
    /// (rank, key, member), kept to be used again.
    sorted: Vec<(u8, f64, u8)>,
}

impl<'a> Order<'a> {
    /// At most 256 members: a service has no more VIPs.
    pub(crate) fn new(members: &'a [Member]) -> Self {
        Self { members, ranks: vec![0; members.len()], sorted: Vec::with_capacity(members.len()) }
    }

    /// Ties all.
    pub(crate) fn reset(&mut self) {
        self.ranks.fill(0);
    }

    /// Rank by member.
    pub(crate) fn ranks(&self) -> &[u8] {
        &self.ranks
    }

    /// Splits every group by `key`, lowest first; equal keys stay tied.
    pub(crate) fn split(&mut self, key: impl FnMut(&Member) -> f64) {
        self.split_loosely(key, |first, next| first == next);
    }

    /// Splits every group by `key`, lowest first. A member whose key `ties`
    /// with the lowest key of its new group stays in it.
    pub(crate) fn split_loosely(
        &mut self,
        mut key: impl FnMut(&Member) -> f64,
        ties: impl Fn(f64, f64) -> bool,
    ) {
        self.sorted.clear();
        for (index, member) in (0..=u8::MAX).zip(self.members) {
            let entry = (self.ranks[usize::from(index)], key(member), index);
            let place = self.sorted.iter().rposition(|before| (before.0, before.1) <= (entry.0, entry.1));
            self.sorted.insert(place.map_or(0, |place| place + 1), entry);
        }
        let Some(&(mut old, mut first, _)) = self.sorted.first() else { return };
        let mut rank = 0;
        for &(before, key, index) in &self.sorted {
            if before != old || !ties(first, key) {
                rank += 1;
                (old, first) = (before, key);
            }
            self.ranks[usize::from(index)] = rank;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        let member = |id| Member { id: DatacenterId::new(id), priority: 0, luck: 0, weight: 1 };
        let members: Vec<_> = (0..4).map(member).collect();
        let mut order = Order::new(&members);
        let mut check = |keys: [f64; 4], slack: f64, want: [u8; 4], why: &str| {
            order.split_loosely(|member| keys[member.id.index()], |first, next| next <= first + slack);
            assert_eq!(order.ranks(), want, "{why}");
        };
        check([5.0, 1.0, 1.9, 2.5], 1.0, [2, 0, 0, 1], "slack is counted from the best of a group");
        check([0.0, 7.0, 7.0, 0.0], 0.0, [2, 0, 0, 1], "equal keys stay tied, groups stay apart");
        check([0.0, 9.0, 8.0, 0.0], 0.0, [3, 1, 0, 2], "a later step splits what is tied");
        order.reset();
        assert_eq!(order.ranks(), [0; 4], "all tied again");
    }
}

use std::collections::{BTreeMap, BTreeSet};

/// How far a reader is with a partition.
#[derive(Debug)]
pub(super) struct Progress {
    /// Everything before it is done.
    committed: u64,
    /// What is read next, unless it is done.
    position: u64,
    /// The offsets that are handed out and not settled, and the number of each delivery.
    out: BTreeMap<u64, u64>,
    /// What is done beyond the first offset that is not.
    done: BTreeSet<u64>,
}

impl Progress {
    pub(super) fn new(committed: u64) -> Self {
        Self { committed, position: committed, out: BTreeMap::new(), done: BTreeSet::new() }
    }

    /// The offset to be read next.
    pub(super) fn position(&mut self) -> u64 {
        while self.done.contains(&self.position) {
            self.position += 1;
        }
        self.position
    }

    /// What lies at the position is handed out, as the delivery of that number.
    pub(super) fn hand_out(&mut self, number: u64) {
        self.out.insert(self.position, number);
        self.position += 1;
    }

    /// What lies at the position is not for anybody. The offset to commit.
    pub(super) fn skip(&mut self) -> u64 {
        self.done.insert(self.position);
        self.position += 1;
        self.advance()
    }

    /// That delivery is done. The offset to commit; nothing if it was taken back before.
    pub(super) fn complete(&mut self, number: u64) -> Option<u64> {
        let offset = self.offset(number)?;
        self.out.remove(&offset);
        self.done.insert(offset);
        Some(self.advance())
    }

    /// That delivery is to come again, and in order: all that is handed out behind it is taken back. What is
    /// before it can still be settled.
    pub(super) fn release(&mut self, number: u64) -> Option<()> {
        let offset = self.offset(number)?;
        drop(self.out.split_off(&offset));
        self.position = offset;
        Some(())
    }

    /// How much is handed out.
    pub(super) fn out(&self) -> usize {
        self.out.len()
    }

    fn offset(&self, number: u64) -> Option<u64> {
        self.out.iter().find(|(_, known)| **known == number).map(|(offset, _)| *offset)
    }

    fn advance(&mut self) -> u64 {
        while self.done.remove(&self.committed) {
            self.committed += 1;
        }
        self.committed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deliveries are numbered from 10 on.
    fn handed_out(deliveries: u64) -> Progress {
        let mut progress = Progress::new(0);
        (0..deliveries).for_each(|number| progress.hand_out(10 + number));
        progress
    }

    #[test]
    fn what_is_committed_ends_before_the_first_that_is_not_done() {
        let mut progress = handed_out(4);
        assert_eq!(progress.complete(11), Some(0));
        assert_eq!(progress.complete(12), Some(0));
        assert_eq!(progress.complete(10), Some(3));
        assert_eq!(progress.complete(10), None, "it is settled");
        assert_eq!(progress.complete(13), Some(4));
    }

    #[test]
    fn a_release_takes_back_what_is_behind_it_and_not_what_is_done_or_before_it() {
        let mut progress = handed_out(4);
        assert_eq!(progress.complete(12), Some(0));
        assert_eq!(progress.release(11), Some(()));
        assert_eq!((progress.complete(13), progress.release(13)), (None, None), "it comes again");
        assert_eq!(progress.complete(10), Some(1));
        assert_eq!(progress.position(), 1);
        progress.hand_out(20);
        assert_eq!(progress.position(), 3, "2 is done");
        assert_eq!(progress.complete(20), Some(3));
    }

    #[test]
    fn releases_in_any_order_lead_back_to_the_first() {
        for order in [[11, 12], [12, 11]] {
            let mut progress = handed_out(3);
            for number in order {
                progress.release(number);
            }
            assert_eq!(progress.position(), 1);
        }
    }
}

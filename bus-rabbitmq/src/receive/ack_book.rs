//! Which deliveries of a channel are settled, and which acknowledgements to send for them.
//!
//! The broker closes the channel over a tag that it does not know (any more). One frame may acknowledge all
//! tags up to one (`multiple`), if none of those is still being worked on and the last one was not settled
//! before.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::ranges::Ranges;

/// How long a finished delivery waits for its neighbours.
const PATIENCE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct AckBook {
    /// Every tag up to it is settled at the broker.
    floor: u64,
    /// Tags above it that are done here, since then; the broker does not know.
    untold: BTreeMap<u64, Instant>,
    /// Tags above it that the broker was told of, by an ack of their own or a nack.
    told: Ranges,
    /// The earliest time in `untold`.
    oldest: Option<Instant>,
    /// How many may be untold before they are sent.
    limit: usize,
}

/// A frame to send, in the order given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// One tag is done.
    Ack(u64),
    /// Everything up to this tag is done.
    AckUpTo(u64),
    /// One tag goes back to the queue.
    Release(u64),
}

impl AckBook {
    /// A book for a channel on which nothing was delivered yet.
    pub(crate) fn new(prefetch: u16) -> Self {
        let limit = usize::from(prefetch / 2).max(1);
        Self { floor: 0, untold: BTreeMap::new(), told: Ranges::default(), oldest: None, limit }
    }

    /// The delivery is done. False if it was settled before: then nothing is to be sent for it.
    pub(crate) fn complete(&mut self, tag: u64, now: Instant) -> bool {
        if self.settled(tag) {
            return false;
        }
        self.untold.insert(tag, now);
        self.oldest.get_or_insert(now);
        true
    }

    /// The delivery goes back, at once: somebody else may want it. None if it was settled before.
    pub(crate) fn release(&mut self, tag: u64) -> Option<Frame> {
        if self.settled(tag) {
            return None;
        }
        self.told.insert(tag);
        Some(Frame::Release(tag))
    }

    fn settled(&self, tag: u64) -> bool {
        tag <= self.floor || self.untold.contains_key(&tag) || self.told.contains(tag)
    }

    /// When to flush next, if nothing else happens.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.oldest.map(|since| since + PATIENCE)
    }

    /// Appends the frames that are due; all there are when `now` is none.
    pub(crate) fn flush(&mut self, now: Option<Instant>, frames: &mut Vec<Frame>) {
        let full = self.untold.len() >= self.limit;
        let due = |since: Instant| full || now.is_none_or(|now| since + PATIENCE <= now);
        if !self.oldest.is_some_and(due) {
            return;
        }
        self.flush_run(frames);
        let told = &mut self.told;
        self.untold.retain(|tag, since| {
            let due = due(*since);
            if due {
                told.insert(*tag);
                frames.push(Frame::Ack(*tag));
            }
            !due
        });
        self.oldest = self.untold.values().min().copied();
    }

    /// One frame for everything below the oldest tag that is still being worked on.
    fn flush_run(&mut self, frames: &mut Vec<Frame>) {
        let (mut count, mut last) = (0, 0);
        loop {
            let next = self.floor + 1;
            if self.untold.remove(&next).is_some() {
                self.floor = next;
                (count, last) = (count + 1, next);
            } else if let Some(end) = self.told.take_run(next) {
                self.floor = end;
            } else {
                break;
            }
        }
        match count {
            0 => {}
            1 => frames.push(Frame::Ack(last)),
            _ => frames.push(Frame::AckUpTo(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods, reason = "any time will do")]
        Instant::now()
    }

    fn flushed(book: &mut AckBook, now: Option<Instant>) -> Vec<Frame> {
        let mut frames = Vec::new();
        book.flush(now, &mut frames);
        frames
    }

    #[test]
    fn a_run_of_finished_deliveries_is_one_frame() {
        let (mut book, now) = (AckBook::new(100), start());
        for tag in 1..=10 {
            assert!(book.complete(tag, now));
        }
        assert_eq!(flushed(&mut book, Some(now)), []);
        assert_eq!(book.due(), Some(now + PATIENCE));
        assert_eq!(flushed(&mut book, Some(now + PATIENCE)), [Frame::AckUpTo(10)]);
        assert_eq!(book.due(), None);
    }

    #[test]
    fn a_slow_delivery_does_not_hold_up_the_acks_of_others_for_long() {
        let (mut book, now) = (AckBook::new(100), start());
        for tag in [1, 2, 4, 5] {
            book.complete(tag, now);
        }
        assert_eq!(flushed(&mut book, Some(now + PATIENCE)), [Frame::AckUpTo(2), Frame::Ack(4), Frame::Ack(5)]);
        book.complete(3, now);
        // 4 and 5 are told already: nothing above 3 may be named again.
        assert_eq!(flushed(&mut book, None), [Frame::Ack(3)]);
        assert!(!book.complete(5, now));
        book.complete(6, now);
        assert_eq!(flushed(&mut book, None), [Frame::Ack(6)]);
    }

    #[test]
    fn half_the_prefetch_is_flushed_at_once_and_a_prefetch_of_one_never_waits() {
        let (mut book, now) = (AckBook::new(4), start());
        book.complete(1, now);
        assert_eq!(flushed(&mut book, Some(now)), []);
        book.complete(2, now);
        assert_eq!(flushed(&mut book, Some(now)), [Frame::AckUpTo(2)]);
        let mut book = AckBook::new(1);
        book.complete(1, now);
        assert_eq!(flushed(&mut book, Some(now)), [Frame::Ack(1)]);
    }

    #[test]
    fn a_run_that_ends_at_a_released_delivery_is_named_by_the_last_success() {
        let (mut book, now) = (AckBook::new(100), start());
        book.complete(1, now);
        book.complete(2, now);
        assert_eq!(book.release(3), Some(Frame::Release(3)));
        assert_eq!(book.release(3), None);
        assert!(!book.complete(3, now));
        assert_eq!(flushed(&mut book, None), [Frame::AckUpTo(2)]);
        book.complete(4, now);
        assert_eq!(flushed(&mut book, None), [Frame::Ack(4)]);
    }

    /// The broker: it knows what is unsettled, and closes the channel over anything else.
    struct Broker {
        unsettled: BTreeSet<u64>,
        acked: BTreeSet<u64>,
        released: BTreeSet<u64>,
    }

    impl Broker {
        fn take(&mut self, frame: Frame) {
            match frame {
                Frame::Ack(tag) => {
                    assert!(self.unsettled.remove(&tag), "unknown tag {tag}");
                    self.acked.insert(tag);
                }
                Frame::AckUpTo(tag) => {
                    assert!(self.unsettled.contains(&tag), "unknown tag {tag}");
                    let above = self.unsettled.split_off(&(tag + 1));
                    self.acked.append(&mut self.unsettled);
                    self.unsettled = above;
                }
                Frame::Release(tag) => {
                    assert!(self.unsettled.remove(&tag), "unknown tag {tag}");
                    self.released.insert(tag);
                }
            }
        }
    }

    #[test]
    fn every_delivery_is_settled_once_and_as_asked_in_any_order() {
        for seed in 0..1000_u64 {
            let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut below = |bound: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % bound
            };
            let prefetch = 1 + below(20);
            let mut book = AckBook::new(prefetch as u16);
            let (mut now, mut next) = (start(), 1);
            let mut broker = Broker { unsettled: BTreeSet::new(), acked: BTreeSet::new(), released: BTreeSet::new() };
            let (mut working, mut done, mut given_back) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
            for _ in 0..200 {
                match below(5) {
                    0 | 1 if (broker.unsettled.len() as u64) < prefetch => {
                        broker.unsettled.insert(next);
                        working.push(next);
                        next += 1;
                    }
                    2 if !working.is_empty() => {
                        let tag = working.swap_remove(below(working.len() as u64) as usize);
                        assert!(book.complete(tag, now));
                        done.insert(tag);
                    }
                    3 if !working.is_empty() && below(4) == 0 => {
                        let tag = working.swap_remove(below(working.len() as u64) as usize);
                        broker.take(book.release(tag).unwrap());
                        given_back.insert(tag);
                    }
                    _ => now += Duration::from_millis(below(4)),
                }
                for frame in flushed(&mut book, Some(now)) {
                    broker.take(frame);
                }
                assert!(book.due().is_none_or(|due| due > now), "something is late; seed {seed}");
            }
            for frame in flushed(&mut book, None) {
                broker.take(frame);
            }
            assert_eq!((broker.acked, broker.released), (done, given_back), "seed {seed}");
            assert_eq!(broker.unsettled, working.into_iter().collect(), "seed {seed}");
        }
    }
}

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    at_work::Prints,
    turn::{ALONE, Turn},
};
use crate::{clock::Clock, envelope::HeaderValue, transport::Delivery};

/// The header that counts the starts of a message's handlers which ended without a settlement.
pub(crate) const STARTS: &str = "Bus-Starts";

/// The header that counts how often a message's handler was cancelled since the broker did not wait longer.
pub(crate) const OVERDUE: &str = "Bus-Overdue";

/// How long after a connection was lost its messages may take to come again: a broker notices a half-open one late.
const COMES_AGAIN: Duration = Duration::from_secs(300);
/// So many messages with a lease are remembered.
const REMEMBERED: usize = 1024;

/// Tells of each delivery, as it arrives, whether it may be what ended a process.
///
/// A broker says only that a message was delivered before, not that it was begun. So every message that comes
/// again is counted (see `starts.rs`), with three exceptions:
///
/// - One that this very process had when its connection was lost: the process is there, so nothing ended it. If its
///   handler took longer than the broker waits, that is counted in place of it.
/// - One whose lease was over in this very process.
/// - Of those that are handled alone already, which come again in their order, only the first can have been at
///   work: the others were behind it.
#[derive(Debug)]
pub(super) struct Arrivals {
    prefetch: usize,
    /// How many may come again since a connection was lost, and until when.
    forgiven: Option<(usize, Instant)>,
    /// What comes again of handlers that took too long.
    overdue: HashSet<u64>,
    prints: Prints,
    /// The one before was handled alone and came again.
    after_suspect: bool,
    /// The messages that had a lease here, oldest first.
    leased: VecDeque<Arc<str>>,
    known: HashSet<Arc<str>>,
}

impl Arrivals {
    pub(super) fn new(prefetch: u16, prints: Prints) -> Self {
        Self {
            prefetch: prefetch.into(),
            forgiven: None,
            overdue: HashSet::new(),
            prints,
            after_suspect: false,
            leased: VecDeque::new(),
            known: HashSet::new(),
        }
    }

    /// The connection is gone, and with it the right to settle what was delivered over it, here or on its way.
    pub(super) fn lost(&mut self, clock: &Clock) {
        self.forgiven = Some((self.prefetch, clock.after(COMES_AGAIN)));
        self.after_suspect = false;
        self.overdue.clear();
    }

    /// The broker did not wait longer for the handlers of these, which come again.
    pub(super) fn overdue(&mut self, prints: Vec<u64>, clock: &Clock) {
        self.lost(clock);
        self.overdue.extend(prints);
    }

    pub(super) fn turn(&mut self, delivery: Delivery, clock: &Clock) -> Turn {
        let now = clock.now();
        let count = |name| delivery.headers.get(name).and_then(HeaderValue::as_u32).unwrap_or_default();
        let starts = count(STARTS);
        let overdue = self.was_overdue(&delivery).then(|| count(OVERDUE).saturating_add(1));
        let counts = overdue.is_none() && self.counts(&delivery, starts, clock);
        let stale = delivery.lease.map(|lease| {
            self.remember(&delivery);
            now + lease.until.saturating_duration_since(now) / 2
        });
        let worn = delivery.lane.is_none() && delivery.redelivered && is_worn(&delivery);
        Turn { delivery, starts, counts, worn, overdue, arrived: now, stale }
    }

    fn was_overdue(&mut self, delivery: &Delivery) -> bool {
        // A lane keeps its order, and a copy would be the last.
        !self.overdue.is_empty()
            && delivery.redelivered
            && delivery.lane.is_none()
            && self.overdue.remove(&self.prints.of(delivery))
    }

    fn counts(&mut self, delivery: &Delivery, starts: u32, clock: &Clock) -> bool {
        if !delivery.redelivered {
            self.after_suspect = false;
            return false;
        }
        // A lane keeps its order, and a copy would be the last.
        if delivery.lane.is_some() || self.was_leased(delivery) || self.forgives(clock) {
            return false;
        }
        let suspect = starts >= ALONE;
        !(std::mem::replace(&mut self.after_suspect, suspect) && suspect)
    }

    fn forgives(&mut self, clock: &Clock) -> bool {
        match &mut self.forgiven {
            Some((left, until)) if *left > 0 && clock.now() < *until => {
                *left -= 1;
                true
            }
            _ => {
                self.forgiven = None;
                false
            }
        }
    }

    fn was_leased(&self, delivery: &Delivery) -> bool {
        delivery.lease.is_some() && delivery.message_id.as_ref().is_some_and(|id| self.known.contains(id))
    }

    fn remember(&mut self, delivery: &Delivery) {
        let Some(id) = &delivery.message_id else { return };
        if self.known.insert(id.clone()) {
            self.leased.push_back(id.clone());
            if self.leased.len() > REMEMBERED
                && let Some(oldest) = self.leased.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }
}

/// Whether it was delivered half as often as its broker allows. To that one a copy is a new message. What only waited
/// in a receiver counts there too, each time that a connection is lost: the other half is for those times until a copy
/// is made.
fn is_worn(delivery: &Delivery) -> bool {
    delivery.delivery_limit.zip(delivery.broker_deliveries).is_some_and(|(limit, count)| count >= (limit / 2).max(1))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::{Lane, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled};

    struct Nobody;

    impl Settler for Nobody {
        fn settle(&self, _: Token, _: Settlement) -> Settling {
            Pending::ready(SettleOutcome::Settled)
        }

        fn renew(&self, _: Token) -> Pending<Option<Lease>> {
            Pending::ready(None)
        }
    }

    fn delivery(redelivered: bool, starts: i32) -> Delivery {
        let unsettled = Unsettled::new(Arc::new(Nobody), Token { generation: 0, number: 0 });
        let mut delivery = Delivery::new(Bytes::new(), unsettled);
        delivery.redelivered = redelivered;
        if starts > 0 {
            delivery.headers.set(STARTS, starts);
        }
        delivery
    }

    fn counts(arrivals: &mut Arrivals, delivery: Delivery, clock: &Clock) -> bool {
        arrivals.turn(delivery, clock).counts
    }

    #[test]
    fn what_comes_again_is_counted_and_of_suspects_the_first_alone() {
        let (mut arrivals, clock) = (Arrivals::new(10, Prints::default()), Clock::manual(1));
        let mut counts = |redelivered, starts| counts(&mut arrivals, delivery(redelivered, starts), &clock);
        assert_eq!([counts(false, 0), counts(false, 4), counts(true, 0), counts(true, 1)], [false, false, true, true]);
        assert_eq!([counts(true, 2), counts(true, 3), counts(true, 2)], [true, false, false]);
        assert_eq!([counts(false, 0), counts(true, 3)], [false, true], "another process ended");
    }

    #[test]
    fn what_has_a_lane_is_never_counted() {
        let (mut arrivals, clock) = (Arrivals::new(10, Prints::default()), Clock::manual(1));
        let mut in_lane = delivery(true, 0);
        in_lane.lane = Some(Lane("a".into()));
        assert!(!counts(&mut arrivals, in_lane, &clock));
    }

    #[test]
    fn what_came_half_as_often_as_its_broker_allows_is_worn_unless_it_has_a_lane() {
        let (mut arrivals, clock) = (Arrivals::new(10, Prints::default()), Clock::manual(1));
        let mut worn = |limit, count, lane: bool| {
            let mut delivery = delivery(true, 0);
            (delivery.delivery_limit, delivery.broker_deliveries) = (limit, count);
            delivery.lane = lane.then(|| Lane("a".into()));
            arrivals.turn(delivery, &clock).worn
        };
        assert_eq!([worn(Some(20), Some(9), false), worn(Some(20), Some(10), false)], [false, true]);
        assert_eq!([worn(Some(1), Some(1), false), worn(Some(20), Some(10), true)], [true, false]);
        assert_eq!([worn(None, Some(100), false), worn(Some(20), None, false)], [false, false]);
    }

    #[test]
    fn a_lost_connection_accounts_for_as_many_as_it_may_have_had_and_for_a_while() {
        let (mut arrivals, clock) = (Arrivals::new(2, Prints::default()), Clock::manual(1));
        arrivals.lost(&clock);
        let mut again = |redelivered| counts(&mut arrivals, delivery(redelivered, 0), &clock);
        // A broker that did not notice yet sends others first.
        assert_eq!(
            [again(false), again(true), again(false), again(true), again(true)],
            [false, false, false, false, true]
        );
        arrivals.lost(&clock);
        clock.advance_to(clock.after(COMES_AGAIN));
        assert!(counts(&mut arrivals, delivery(true, 0), &clock), "that was somebody else's");
    }

    #[test]
    fn a_lease_that_was_over_in_this_process_ended_no_process() {
        let (mut arrivals, clock) = (Arrivals::new(10, Prints::default()), Clock::manual(1));
        let leased = |id: &str, redelivered| {
            let mut delivery = delivery(redelivered, 0);
            delivery.message_id = Some(id.into());
            delivery.lease = Some(Lease { until: clock.after(Duration::from_secs(10)) });
            delivery
        };
        let mut counts = |delivery| counts(&mut arrivals, delivery, &clock);
        assert_eq!([counts(leased("a", false)), counts(leased("a", true))], [false, false]);
        assert!(counts(leased("b", true)), "its process was another one");
        for number in 0..REMEMBERED {
            counts(leased(&format!("{number}"), false));
        }
        assert!(counts(leased("a", true)), "what is remembered is bounded");
    }
}

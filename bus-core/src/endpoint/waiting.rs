use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use tokio::sync::oneshot;

use super::turn::Turn;
use crate::transport::Lane;

/// The deliveries that wait for a place, first come first served; those of a lane one after the other.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    ready: VecDeque<Turn>,
    /// The lanes that have a delivery in `ready` or at work.
    lanes: HashMap<Lane, Taken>,
    behind: usize,
}

/// A lane that has a delivery in `ready` or at work.
#[derive(Debug, Default)]
struct Taken {
    /// What stands behind it.
    behind: VecDeque<Turn>,
    /// Tells the delivery at work that the lane goes. Nothing once that is told, or the subscription lost: what
    /// stands behind it then came anew.
    revoke: Option<oneshot::Sender<Instant>>,
}

impl Waiting {
    pub(super) fn push(&mut self, turn: Turn) {
        if let Some(lane) = turn.lane() {
            if let Some(taken) = self.lanes.get_mut(lane) {
                taken.behind.push_back(turn);
                self.behind += 1;
                return;
            }
            self.lanes.insert(lane.clone(), Taken::default());
        }
        self.ready.push_back(turn);
    }

    /// The next one, if its lane is free.
    pub(super) fn pop(&mut self) -> Option<Turn> {
        self.ready.pop_front()
    }

    pub(super) fn next(&self) -> Option<&Turn> {
        self.ready.front()
    }

    /// The lane's delivery, which was popped, is at work from now on. It hears if the lane goes, and when.
    pub(super) fn begin(&mut self, lane: &Lane) -> oneshot::Receiver<Instant> {
        let (revoke, revoked) = oneshot::channel();
        self.lanes.entry(lane.clone()).or_default().revoke = Some(revoke);
        revoked
    }

    /// The lane's delivery came to its end: the one behind it is next. If it comes again, so does what waits
    /// here: behind it, it would be out of order.
    pub(super) fn go_on(&mut self, lane: &Lane, returned: bool) {
        let Some(taken) = self.lanes.get_mut(lane) else { return };
        if taken.revoke.take().is_some() && returned {
            self.behind -= taken.behind.len();
            // Gives back what waits.
            drop(self.lanes.remove(lane));
            return;
        }
        match taken.behind.pop_front() {
            Some(turn) => {
                self.behind -= 1;
                self.ready.push_back(turn);
            }
            None => drop(self.lanes.remove(lane)),
        }
    }

    /// The lane goes to another receiver, and what waits of it goes back. What is at work has until `deadline`.
    pub(super) fn revoke(&mut self, lane: &Lane, deadline: Instant) {
        let Some(taken) = self.lanes.get_mut(lane) else { return };
        let behind = std::mem::take(&mut taken.behind);
        self.behind -= behind.len();
        if let Some(revoke) = taken.revoke.take() {
            // It may be at its end.
            let _ = revoke.send(deadline);
        }
        let ready = self.ready.len();
        self.ready.retain(|turn| turn.lane() != Some(lane));
        if self.ready.len() < ready {
            // Nothing of this lane is at work: its first one waited here.
            self.lanes.remove(lane);
        }
        drop(behind);
    }

    /// Whether some wait for their lane.
    pub(super) fn has_more(&self) -> bool {
        self.behind > 0
    }

    /// Takes out those that were counted before.
    pub(super) fn counted(&mut self) -> VecDeque<Turn> {
        let (counted, others) = std::mem::take(&mut self.ready).into_iter().partition(Turn::is_counted);
        self.ready = others;
        counted
    }

    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.behind
    }

    /// Gives back what waits. The lanes that are at work stay taken.
    pub(super) fn clear(&mut self) {
        for turn in std::mem::take(&mut self.ready) {
            // Nothing of this lane is at work: its first one waited here.
            if let Some(lane) = turn.lane() {
                self.lanes.remove(lane);
            }
        }
        for taken in self.lanes.values_mut() {
            *taken = Taken::default();
        }
        self.behind = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{
        clock::Clock,
        transport::{Delivery, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled},
    };

    struct Nobody;

    impl Settler for Nobody {
        fn settle(&self, _: Token, _: Settlement) -> Settling {
            Pending::ready(SettleOutcome::Settled)
        }

        fn renew(&self, _: Token) -> Pending<Option<crate::transport::Lease>> {
            Pending::ready(None)
        }
    }

    fn turn(name: &'static str) -> Turn {
        let unsettled = Unsettled::new(Arc::new(Nobody), Token { generation: 0, number: 0 });
        let mut delivery = Delivery::new(Bytes::from_static(name.as_bytes()), unsettled);
        // `a1` is the first of lane `a`; `-1` is of none.
        delivery.lane = Some(&name[..1]).filter(|lane| *lane != "-").map(|lane| Lane(lane.into()));
        let arrived = Clock::real().now();
        Turn { delivery, starts: 0, counts: false, worn: false, overdue: None, arrived, stale: None }
    }

    fn waiting(names: &[&'static str]) -> Waiting {
        let mut waiting = Waiting::default();
        names.iter().for_each(|name| waiting.push(turn(name)));
        waiting
    }

    fn popped(waiting: &mut Waiting) -> Vec<Bytes> {
        std::iter::from_fn(|| waiting.pop()).map(|turn| turn.delivery.body.clone()).collect()
    }

    fn lane(name: &str) -> Lane {
        Lane(name.into())
    }

    /// Begins the first one, which is of that lane.
    fn begin(waiting: &mut Waiting, name: &str) -> oneshot::Receiver<Instant> {
        assert_eq!(waiting.pop().unwrap().lane(), Some(&lane(name)));
        waiting.begin(&lane(name))
    }

    #[test]
    fn a_lane_goes_on_when_its_delivery_came_to_its_end_and_others_do_not_wait_for_it() {
        let mut waiting = waiting(&["a1", "a2", "-1", "b1", "a3", "-2"]);
        assert_eq!(popped(&mut waiting), ["a1", "-1", "b1", "-2"]);
        assert!(waiting.has_more());
        waiting.go_on(&lane("a"), false);
        assert_eq!(popped(&mut waiting), ["a2"]);
        waiting.go_on(&lane("a"), false);
        assert_eq!(popped(&mut waiting), ["a3"]);
        waiting.go_on(&lane("a"), false);
        assert!(!waiting.has_more());
        waiting.push(turn("a4"));
        assert_eq!(popped(&mut waiting), ["a4"], "the lane was free again");
    }

    #[test]
    fn behind_a_delivery_that_comes_again_a_lane_keeps_nothing_and_is_free() {
        let mut waiting = waiting(&["a1", "a2", "a3", "b1"]);
        let _at_work = begin(&mut waiting, "a");
        waiting.go_on(&lane("a"), true);
        assert_eq!((waiting.len(), waiting.has_more()), (1, false));
        waiting.push(turn("a1"));
        assert_eq!(popped(&mut waiting), ["b1", "a1"]);
    }

    #[test]
    fn a_lane_that_is_revoked_at_work_hears_of_it_and_takes_what_comes_anew_in_turn() {
        let mut waiting = waiting(&["a1", "a2", "b1"]);
        let mut at_work = begin(&mut waiting, "a");
        let deadline = Clock::real().now();
        waiting.revoke(&lane("a"), deadline);
        assert_eq!(at_work.try_recv(), Ok(deadline));
        assert_eq!((waiting.len(), waiting.has_more()), (1, false));
        for name in ["a1", "a2"] {
            waiting.push(turn(name));
        }
        assert_eq!(popped(&mut waiting), ["b1"], "the one at work has not come to its end");
        waiting.go_on(&lane("a"), true);
        assert_eq!(popped(&mut waiting), ["a1"], "it came after the lane was gone, and is not given back");
        waiting.go_on(&lane("a"), false);
        assert_eq!(popped(&mut waiting), ["a2"]);
    }

    #[test]
    fn a_lane_that_is_revoked_before_it_is_at_work_is_free_for_what_comes_anew() {
        let mut waiting = waiting(&["a1", "a2", "b1"]);
        waiting.revoke(&lane("a"), Clock::real().now());
        assert_eq!((waiting.len(), waiting.has_more()), (1, false));
        waiting.push(turn("a1"));
        assert_eq!(popped(&mut waiting), ["b1", "a1"]);
    }

    #[test]
    fn after_a_clear_only_the_lanes_at_work_are_taken_and_what_comes_anew_is_kept() {
        let mut waiting = waiting(&["a1", "a2", "b1", "b2"]);
        let _at_work = begin(&mut waiting, "a");
        waiting.clear();
        assert_eq!((waiting.len(), waiting.has_more()), (0, false));
        waiting.push(turn("a1"));
        waiting.push(turn("b1"));
        assert_eq!(popped(&mut waiting), ["b1"]);
        waiting.go_on(&lane("a"), true);
        assert_eq!(popped(&mut waiting), ["a1"]);
    }
}

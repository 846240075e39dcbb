use std::collections::{HashMap, VecDeque};

use super::turn::Turn;
use crate::transport::Lane;

/// The deliveries that wait for a place, first come first served; those of a lane one after the other.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    ready: VecDeque<Turn>,
    /// The lanes that have a delivery in `ready` or at work, and what stands behind it.
    lanes: HashMap<Lane, VecDeque<Turn>>,
    behind: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, turn: Turn) {
        if let Some(lane) = turn.lane() {
            if let Some(behind) = self.lanes.get_mut(lane) {
                behind.push_back(turn);
                self.behind += 1;
                return;
            }
            self.lanes.insert(lane.clone(), VecDeque::new());
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

    /// The lane's delivery came to its end: the one behind it is next.
    pub(super) fn go_on(&mut self, lane: &Lane) {
        let Some(behind) = self.lanes.get_mut(lane) else { return };
        match behind.pop_front() {
            Some(turn) => {
                self.behind -= 1;
                self.ready.push_back(turn);
            }
            None => drop(self.lanes.remove(lane)),
        }
    }

    /// What waits of the lane, to be given back: behind a delivery that comes again it would be out of order.
    pub(super) fn give_up(&mut self, lane: &Lane) {
        let behind = self.lanes.get_mut(lane).map(std::mem::take).unwrap_or_default();
        self.behind -= behind.len();
        self.ready.retain(|turn| turn.lane() != Some(lane));
        drop(behind);
    }

    /// Whether some wait for their lane.
    pub(super) fn has_more(&self) -> bool {
        self.behind > 0
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
        self.lanes.values_mut().for_each(VecDeque::clear);
        self.behind = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::transport::{Delivery, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled};

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
        Turn { delivery, starts: 0, counts: false, stale: None }
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

    #[test]
    fn a_lane_goes_on_when_its_delivery_came_to_its_end_and_others_do_not_wait_for_it() {
        let mut waiting = waiting(&["a1", "a2", "-1", "b1", "a3", "-2"]);
        assert_eq!(popped(&mut waiting), ["a1", "-1", "b1", "-2"]);
        assert!(waiting.has_more());
        waiting.go_on(&lane("a"));
        assert_eq!(popped(&mut waiting), ["a2"]);
        waiting.go_on(&lane("a"));
        assert_eq!(popped(&mut waiting), ["a3"]);
        waiting.go_on(&lane("a"));
        assert!(!waiting.has_more());
        waiting.push(turn("a4"));
        assert_eq!(popped(&mut waiting), ["a4"], "the lane was free again");
    }

    #[test]
    fn a_lane_that_is_given_up_keeps_nothing_and_takes_what_comes_next_in_turn() {
        let mut waiting = waiting(&["a1", "a2", "a3", "b1"]);
        assert_eq!(waiting.pop().unwrap().delivery.body, "a1");
        waiting.give_up(&lane("a"));
        assert_eq!(waiting.len(), 1);
        waiting.push(turn("a1"));
        assert_eq!(popped(&mut waiting), ["b1"], "the one at work has not come to its end");
        waiting.go_on(&lane("a"));
        assert_eq!(popped(&mut waiting), ["a1"]);
    }

    #[test]
    fn after_a_clear_only_the_lanes_at_work_are_taken() {
        let mut waiting = waiting(&["a1", "a2", "b1", "b2"]);
        assert_eq!(waiting.pop().unwrap().delivery.body, "a1");
        waiting.clear();
        assert_eq!((waiting.len(), waiting.has_more()), (0, false));
        waiting.push(turn("a2"));
        waiting.push(turn("b1"));
        assert_eq!(popped(&mut waiting), ["b1"]);
        waiting.go_on(&lane("a"));
        assert_eq!(popped(&mut waiting), ["a2"]);
    }
}

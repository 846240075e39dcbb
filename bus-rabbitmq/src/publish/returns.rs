//! Which messages came back, although lapin says it at the wrong ones.
//!
//! The broker returns an unroutable message before it confirms it. lapin puts returns into a queue, and gives
//! the oldest one to whichever confirm it completes next, in whatever order it completes those of a
//! `multiple`. So at each completion:
//!
//! - it carried no return: lapin's queue was empty then, and the message's own return, if there is one, went to
//!   a completion before it;
//! - it carried another's return: its own may wait in lapin behind that one, until a later completion carries
//!   none or every message is completed (each return has a completion to come, so the queue is empty then).
//!
//! Completions are seen in drains: at the end of one, all that lapin completed so far were seen. Within a drain
//! their order means nothing; between drains it does.

use std::collections::HashSet;

/// What the confirms of one channel said about returns.
#[derive(Debug, Default)]
pub(crate) struct Returns {
    /// Returned, and not yet decided.
    returned: HashSet<u64>,
    /// Mandatory messages completed in this drain, and whether their confirm carried a return.
    fresh: Vec<(u64, bool)>,
    /// Mandatory messages whose own return may still wait in lapin.
    suspects: Vec<u64>,
    /// A completion of this drain carried no return.
    empty: bool,
}

/// What a confirm of lapin's carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    Nothing,
    /// A return, and the number of the message it is of, if it says one.
    Return(Option<u64>),
}

/// A mandatory message whose fate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) sequence: u64,
    /// A queue took it.
    pub(crate) routed: bool,
}

impl Returns {
    /// A confirm arrived. Of a message that is not mandatory only what it carried counts.
    pub(crate) fn completed(&mut self, sequence: u64, mandatory: bool, carried: Carried) {
        match carried {
            Carried::Nothing => self.empty = true,
            Carried::Return(of) => self.returned.extend(of),
        }
        if mandatory {
            self.fresh.push((sequence, carried != Carried::Nothing));
        }
    }

    /// All that lapin completed so far were told to [`completed`](Self::completed); so many messages of the
    /// channel are not completed yet. Appends what is decided now, in no particular order.
    pub(crate) fn drained(&mut self, outstanding: usize, decided: &mut Vec<Decided>) {
        let nothing_waits = outstanding == 0;
        let settled = nothing_waits || self.empty;
        for sequence in std::mem::take(&mut self.suspects) {
            match self.returned.remove(&sequence) {
                true => decided.push(Decided { sequence, routed: false }),
                false if settled => decided.push(Decided { sequence, routed: true }),
                false => self.suspects.push(sequence),
            }
        }
        for (sequence, carried) in self.fresh.drain(..) {
            match self.returned.remove(&sequence) {
                true => decided.push(Decided { sequence, routed: false }),
                false if nothing_waits || !carried => decided.push(Decided { sequence, routed: true }),
                false => self.suspects.push(sequence),
            }
        }
        self.empty = false;
        if nothing_waits {
            self.returned.clear();
        }
    }

    /// Mandatory messages that are confirmed and not decided.
    #[cfg(test)]
    fn undecided(&self) -> usize {
        self.suspects.len() + self.fresh.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// lapin, as far as returns go.
    #[derive(Default)]
    struct Lapin {
        waiting: VecDeque<u64>,
    }

    impl Lapin {
        fn complete(&mut self) -> Carried {
            self.waiting.pop_front().map_or(Carried::Nothing, |of| Carried::Return(Some(of)))
        }
    }

    fn decide(returns: &mut Returns, outstanding: usize) -> Vec<(u64, bool)> {
        let mut decided = Vec::new();
        returns.drained(outstanding, &mut decided);
        decided.sort_by_key(|decided| decided.sequence);
        decided.into_iter().map(|decided| (decided.sequence, decided.routed)).collect()
    }

    #[test]
    fn a_return_that_comes_with_a_neighbours_confirm_is_credited_to_its_own() {
        let mut returns = Returns::default();
        // 2 is unroutable; `ack 2 multiple` completes 1 first.
        returns.completed(1, true, Carried::Return(Some(2)));
        returns.completed(2, true, Carried::Nothing);
        assert_eq!(decide(&mut returns, 0), [(1, true), (2, false)]);
    }

    #[test]
    fn a_message_whose_confirm_carried_another_return_waits_for_one_without() {
        let mut returns = Returns::default();
        returns.completed(1, true, Carried::Return(Some(5)));
        assert_eq!(decide(&mut returns, 3), []);
        // Its own was behind in lapin's queue.
        returns.completed(2, false, Carried::Return(Some(1)));
        assert_eq!(decide(&mut returns, 2), [(1, false)]);
        returns.completed(3, true, Carried::Return(Some(9)));
        assert_eq!(decide(&mut returns, 5), []);
        returns.completed(4, false, Carried::Nothing);
        assert_eq!(decide(&mut returns, 5), [(3, true)]);
    }

    #[test]
    fn an_empty_confirm_of_the_same_drain_proves_nothing_about_a_suspect() {
        let mut returns = Returns::default();
        // lapin may have completed 1 (nothing waiting yet) before 2 (another's return).
        returns.completed(2, true, Carried::Return(Some(7)));
        returns.completed(1, true, Carried::Nothing);
        assert_eq!(decide(&mut returns, 9), [(1, true)]);
        assert_eq!(returns.undecided(), 1);
    }

    #[test]
    fn nothing_outstanding_decides_all() {
        let mut returns = Returns::default();
        returns.completed(1, true, Carried::Return(Some(2)));
        returns.completed(2, true, Carried::Return(None));
        assert_eq!(decide(&mut returns, 0), [(1, true), (2, false)]);
        assert_eq!(returns.undecided(), 0);
    }

    /// Any broker that returns before it confirms, any order of completions and of seeing them.
    #[test]
    fn no_order_of_confirms_credits_a_return_to_another_message() {
        for seed in 0..2000_u64 {
            let mut random = Random(seed);
            let messages = 1 + random.below(40);
            let unroutable: Vec<bool> = (0..messages).map(|_| random.below(3) == 0).collect();
            let mandatory: Vec<bool> = (0..messages).map(|m| unroutable[m as usize] || random.below(4) > 0).collect();
            let mut lapin = Lapin::default();
            let mut returns = Returns::default();
            let (mut reached, mut unconfirmed) = (0, Vec::new());
            let (mut seen, mut fates) = (0, vec![None; messages as usize]);
            let mut completed: Vec<(u64, Carried)> = Vec::new();
            while seen < messages {
                match random.below(3) {
                    // The broker gets to some message: returns it, and confirms it later.
                    0 if reached < messages => {
                        if unroutable[reached as usize] {
                            lapin.waiting.push_back(reached);
                        }
                        unconfirmed.push(reached);
                        reached += 1;
                    }
                    // It confirms one of those, in any order.
                    1 if !unconfirmed.is_empty() => {
                        let message = unconfirmed.swap_remove(random.below(unconfirmed.len() as u64) as usize);
                        completed.push((message, lapin.complete()));
                    }
                    // We drain: all that was completed, in any order.
                    2 => {
                        while !completed.is_empty() {
                            let (message, carried) =
                                completed.swap_remove(random.below(completed.len() as u64) as usize);
                            returns.completed(message, mandatory[message as usize], carried);
                            seen += 1;
                        }
                        let mut decided = Vec::new();
                        returns.drained((messages - seen) as usize, &mut decided);
                        for decided in decided {
                            let fate = &mut fates[decided.sequence as usize];
                            assert_eq!(fate.replace(decided.routed), None, "decided twice; seed {seed}");
                        }
                    }
                    _ => {}
                }
            }
            for message in 0..messages as usize {
                let expected = mandatory[message].then_some(!unroutable[message]);
                assert_eq!(fates[message], expected, "message {message} of seed {seed}");
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            // splitmix64
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % bound
        }
    }
}

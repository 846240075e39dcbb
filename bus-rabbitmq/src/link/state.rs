//! What a connection does next, as a value: no I/O, no time.

use super::backoff;
use std::time::Duration;

/// After the first success a refusal may be a rotated password: it is tried, but slowly.
pub(crate) const SLOW: Duration = Duration::from_secs(5);

/// Where one connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody asked for it yet, or nobody does any more.
    Idle,
    /// An attempt is under way; so many failed before it.
    Connecting { failures: u32 },
    /// It works.
    Ready { generation: u64 },
    /// It works, but the broker takes no publishes: an alarm.
    Blocked { generation: u64 },
    /// The next attempt waits.
    BackingOff { failures: u32, pause: Duration },
    /// Refused before it ever worked; trying again does not help.
    Failed,
    /// For good.
    Closed,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Somebody wants a connection.
    Wanted,
    /// Nobody wants one any more.
    Unwanted,
    /// The attempt succeeded.
    Connected,
    /// The attempt failed.
    Unreachable,
    /// The broker refused the attempt: credentials, virtual host.
    Refused,
    /// The pause is over.
    PauseOver,
    /// The broker takes no publishes.
    Blocked,
    /// It does again.
    Unblocked,
    /// The connection is gone.
    Lost,
    /// The connection is gone soon after it was made: something ends each of them.
    LostEarly,
    /// The connection did not end early.
    Lasted,
    /// The transport ends.
    Close,
}

/// The state, and what of the past counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) state: State,
    /// How many connections there were. A reconnect is told by it.
    pub(crate) generation: u64,
    /// There was a connection since somebody began to want one: the credentials were right.
    proven: bool,
    /// How many connections in a row ended early.
    early: u32,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { state: State::Idle, generation: 0, proven: false, early: 0 }
    }

    /// It worked since somebody began to want it.
    pub(crate) fn proven(self) -> bool {
        self.proven
    }

    /// The connections before this one ended early.
    pub(crate) fn shaky(self) -> bool {
        self.early > 0
    }

    /// The next state. An input that does not fit changes nothing.
    pub(crate) fn step(self, input: Input) -> Self {
        let Self { state, generation, proven, early } = self;
        let state = match (state, input) {
            (State::Closed, _) | (_, Input::Close) => State::Closed,
            (State::Failed, Input::Unwanted) => State::Failed,
            (_, Input::Unwanted) => return Self { generation, ..Self::new() },
            (State::Idle | State::Failed, Input::Wanted) => State::Connecting { failures: 0 },
            (State::Connecting { .. }, Input::Connected) => {
                let generation = generation + 1;
                return Self { state: State::Ready { generation }, generation, proven: true, early };
            }
            (State::Connecting { failures }, Input::Unreachable) => {
                State::BackingOff { failures: failures.saturating_add(1), pause: backoff::pause(failures) }
            }
            (State::Connecting { .. }, Input::Refused) if !proven => State::Failed,
            (State::Connecting { failures }, Input::Refused) => {
                State::BackingOff { failures: failures.saturating_add(1), pause: SLOW }
            }
            (State::BackingOff { failures, .. }, Input::PauseOver) => State::Connecting { failures },
            (State::Ready { generation }, Input::Blocked) => State::Blocked { generation },
            (State::Blocked { generation }, Input::Unblocked) => State::Ready { generation },
            (State::Ready { .. } | State::Blocked { .. }, Input::Lasted) => return Self { early: 0, ..self },
            // The first try follows at once: most losses are a restart of the other side of a proxy.
            (State::Ready { .. } | State::Blocked { .. }, Input::Lost) => {
                return Self { state: State::Connecting { failures: 0 }, early: 0, ..self };
            }
            (State::Ready { .. } | State::Blocked { .. }, Input::LostEarly) => {
                let state = State::BackingOff { failures: early, pause: backoff::pause(early) };
                return Self { state, early: early.saturating_add(1), ..self };
            }
            (state, _) => state,
        };
        Self { state, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(inputs: &[Input]) -> Machine {
        inputs.iter().fold(Machine::new(), |machine, input| machine.step(*input))
    }

    #[test]
    fn it_connects_loses_the_connection_and_comes_back_with_a_new_generation() {
        use Input::*;
        assert_eq!(after(&[Wanted, Connected]).state, State::Ready { generation: 1 });
        assert_eq!(after(&[Wanted, Connected, Lost]).state, State::Connecting { failures: 0 });
        assert_eq!(
            after(&[Wanted, Connected, Lost, Unreachable, PauseOver, Connected]).state,
            State::Ready { generation: 2 }
        );
        assert_eq!(after(&[Wanted, Connected, Blocked]).state, State::Blocked { generation: 1 });
        assert_eq!(after(&[Wanted, Connected, Blocked, Unblocked]).state, State::Ready { generation: 1 });
        assert_eq!(after(&[Wanted, Connected, Blocked, Lost, Connected]).state, State::Ready { generation: 2 });
    }

    #[test]
    fn it_tries_for_ever_with_pauses_that_stop_growing() {
        let mut machine = after(&[Input::Wanted]);
        for failures in 1..100 {
            machine = machine.step(Input::Unreachable);
            let State::BackingOff { failures: counted, pause } = machine.state else { panic!("{machine:?}") };
            assert_eq!(counted, failures);
            assert!(pause <= Duration::from_secs(1));
            machine = machine.step(Input::PauseOver);
        }
    }

    #[test]
    fn connections_that_end_early_are_not_made_again_in_a_hurry() {
        use Input::*;
        let mut machine = after(&[Wanted, Connected]);
        for _ in 0..20 {
            machine = machine.step(LostEarly);
            assert!(matches!(machine.state, State::BackingOff { .. }));
            machine = machine.step(PauseOver).step(Connected);
        }
        assert_eq!(machine.early, 20);
        assert!(machine.shaky() && !machine.step(Lasted).shaky());
        assert_eq!(machine.step(Lasted).state, machine.state);
        assert_eq!(machine.step(Lost).early, 0);
    }

    #[test]
    fn a_refusal_is_fatal_only_before_the_first_success_and_may_be_asked_again() {
        use Input::*;
        assert_eq!(after(&[Wanted, Refused]).state, State::Failed);
        assert_eq!(after(&[Wanted, Refused, Wanted]).state, State::Connecting { failures: 0 });
        assert_eq!(after(&[Wanted, Connected, Lost, Refused]).state, State::BackingOff { failures: 1, pause: SLOW });
    }

    #[test]
    fn what_nobody_wants_any_more_rests_and_begins_anew_when_it_is_wanted_again() {
        use Input::*;
        for before in [&[Wanted][..], &[Wanted, Unreachable], &[Wanted, Connected], &[Wanted, Connected, Lost]] {
            assert_eq!(after(before).step(Unwanted).state, State::Idle);
        }
        let again = [Wanted, Connected, Unwanted, Wanted];
        assert_eq!(after(&again).step(Connected).state, State::Ready { generation: 2 });
        assert_eq!(after(&again).step(Refused).state, State::Failed, "the credentials may be others now");
    }

    #[test]
    fn closed_is_for_good_and_late_inputs_change_nothing() {
        use Input::*;
        for before in [&[][..], &[Wanted], &[Wanted, Connected], &[Wanted, Unreachable], &[Wanted, Refused]] {
            let closed = after(before).step(Close);
            for input in [Wanted, Connected, Lost, PauseOver, Unblocked] {
                assert_eq!(closed.step(input).state, State::Closed);
            }
        }
        assert_eq!(after(&[Lost, Connected, PauseOver]).state, State::Idle);
    }
}

use super::*;

use Input::*;

const PAUSE: Duration = Duration::from_secs(60);

/// A machine for so many hosts, the first of which is tried first, after these inputs, one minute apart.
struct Run {
    machine: Machine,
    now: Instant,
}

fn after(hosts: usize, inputs: &[Input]) -> Run {
    #[allow(clippy::disallowed_methods, reason = "any time will do")]
    let now = Instant::now();
    let mut run = Run { machine: Machine::new(hosts, 0, now), now };
    inputs.iter().for_each(|input| run.step(*input));
    run
}

impl Run {
    /// Long enough after the last one for every pause to be over.
    fn step(&mut self, input: Input) {
        self.now += PAUSE;
        self.machine.step(input, self.now);
    }

    fn at_once(&mut self, input: Input) -> State {
        self.machine.step(input, self.now);
        self.machine.state
    }

    /// Shown without times: `backing off 1 s` stands for up to a second.
    fn shown(&self) -> String {
        let host = |host| char::from(b'a' + host as u8);
        match self.machine.state {
            State::Idle => "idle".to_owned(),
            State::Connecting { host: at } => format!("connecting to {}", host(at)),
            State::Ready { generation } => format!("ready {generation}"),
            State::Blocked { generation } => format!("blocked {generation}"),
            State::BackingOff { host: at, until } => {
                format!("backing off from {} for up to {} s", host(at), (until - self.now).as_secs_f32().ceil())
            }
            State::Failed => "failed".to_owned(),
            State::Closed => "closed".to_owned(),
        }
    }
}

#[test]
fn every_state_goes_where_it_should_with_every_input() {
    let inputs = [
        Wanted,
        Unwanted,
        Connected,
        Unreachable,
        Refused,
        NoCredentials,
        PauseOver,
        Blocked,
        Unblocked,
        Lost,
        LostEarly,
        Lasted,
        Close,
    ];
    let (to_a, soon, slowly) =
        ("connecting to a", "backing off from a for up to 1 s", "backing off from a for up to 10 s");
    let same = "";
    // In the order of the inputs.
    let table: [(&[Input], [&str; 13]); 9] = [
        // Idle.
        (&[], [to_a, same, same, same, same, same, same, same, same, same, same, same, "closed"]),
        // Connecting, never connected before.
        (&[Wanted], [same, "idle", "ready 1", soon, "failed", slowly, same, same, same, same, same, same, "closed"]),
        // Connecting again.
        (
            &[Wanted, Connected, Lost],
            [same, "idle", "ready 2", soon, slowly, slowly, same, same, same, same, same, same, "closed"],
        ),
        // Ready.
        (
            &[Wanted, Connected],
            [same, "idle", same, same, same, same, same, "blocked 1", same, to_a, soon, same, "closed"],
        ),
        // Blocked.
        (
            &[Wanted, Connected, Blocked],
            [same, "idle", same, same, same, same, same, same, "ready 1", to_a, soon, same, "closed"],
        ),
        // Backing off.
        (&[Wanted, Unreachable], [same, "idle", same, same, same, same, to_a, same, same, same, same, same, "closed"]),
        // Backing off slowly.
        (
            &[Wanted, Connected, Lost, Refused],
            [same, "idle", same, same, same, same, to_a, same, same, same, same, same, "closed"],
        ),
        // Failed.
        (&[Wanted, Refused], [to_a, same, same, same, same, same, same, same, same, same, same, same, "closed"]),
        // Closed.
        (&[Wanted, Connected, Close], [same; 13]),
    ];
    for (before, expected) in table {
        for (input, expected) in inputs.into_iter().zip(expected) {
            let mut run = after(1, before);
            let was = run.shown();
            run.at_once(input);
            let expected = if expected == same { &was } else { expected };
            assert_eq!(run.shown(), *expected, "{before:?}, then {input:?}");
        }
    }
}

#[test]
fn it_tries_for_ever_with_pauses_that_stop_growing() {
    let mut run = after(1, &[Wanted]);
    for failures in 1..100 {
        let State::BackingOff { until, .. } = run.at_once(Unreachable) else { panic!("{:?}", run.machine) };
        assert!(until > run.now && until <= run.now + Duration::from_secs(1));
        assert!(failures < 6 || until >= run.now + Duration::from_millis(500), "{failures}");
        assert_eq!(run.machine.failures, failures);
        run.step(PauseOver);
    }
    run.step(Connected);
    assert_eq!(run.machine.failures, 0);
}

#[test]
fn connections_that_end_early_are_not_made_again_in_a_hurry() {
    for hosts in [1, 3] {
        let mut run = after(hosts, &[Wanted, Connected]);
        let mut early = 0;
        // Each host at once the first time, and not again before its pause is over.
        for _ in 1..hosts {
            early += 1;
            assert!(matches!(run.at_once(LostEarly), State::Connecting { .. }));
            run.at_once(Connected);
        }
        let mut waited = Duration::ZERO;
        for _ in 0..20 * hosts {
            early += 1;
            run.at_once(LostEarly);
            if let State::BackingOff { until, .. } = run.machine.state {
                waited += until - run.now;
                run.now = until;
                run.at_once(PauseOver);
            }
            run.at_once(Connected);
        }
        assert!(waited > Duration::from_secs(7), "{hosts}: {waited:?}");
        assert_eq!(run.machine.early, early as u32);
        assert!(run.machine.shaky());
        let state = run.machine.state;
        assert_eq!(run.at_once(Lasted), state);
        assert!(!run.machine.shaky());
    }
}

#[test]
fn a_loss_after_a_while_is_no_early_one() {
    let mut run = after(1, &[Wanted, Connected, LostEarly, PauseOver, Connected, Lost]);
    assert_eq!((run.shown().as_str(), run.machine.early), ("connecting to a", 0));
    run.step(Connected);
    assert!(!run.machine.shaky());
}

#[test]
fn hosts_are_tried_in_turn_and_each_again_when_it_is_due() {
    let mut run = after(3, &[Wanted]);
    let mut tried = Vec::new();
    let begin = run.now;
    // Ten seconds of hosts that refuse TCP connections at once.
    while run.now < begin + Duration::from_secs(10) {
        match run.machine.state {
            State::Connecting { host } => {
                tried.push(host);
                run.at_once(Unreachable);
            }
            State::BackingOff { until, .. } => {
                run.now = until;
                run.at_once(PauseOver);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tried[..3], [0, 1, 2]);
    for host in 0..3 {
        let times = tried.iter().filter(|tried| **tried == host).count();
        assert!((12..=27).contains(&times), "{host}: {times}");
    }
}

#[test]
fn the_one_to_begin_with_may_be_any_and_a_lost_connection_goes_to_the_next() {
    let mut run = after(3, &[]);
    run.machine = Machine::new(3, 2, run.now);
    for (input, expected) in [
        (Wanted, "connecting to c"),
        (Connected, "ready 1"),
        (Lost, "connecting to a"),
        (Unreachable, "connecting to b"),
        (Connected, "ready 2"),
        (Unwanted, "idle"),
        (Wanted, "connecting to b"),
    ] {
        run.at_once(input);
        assert_eq!(run.shown(), expected);
    }
}

#[test]
fn a_refusal_is_fatal_only_before_the_first_success_and_when_every_host_was_tried() {
    for (inputs, expected) in [
        (&[Wanted, Refused][..], "connecting to b"),
        (&[Wanted, Refused, Refused], "failed"),
        (&[Wanted, Refused, Unreachable], "failed"),
        (&[Wanted, Unreachable, Refused], "failed"),
        (&[Wanted, Unreachable, Unreachable], "backing off"),
        (&[Wanted, Refused, Connected], "ready 1"),
        (&[Wanted, Refused, Connected, Unwanted, Wanted, Refused, Refused], "failed"),
        (&[Wanted, Refused, Refused, Wanted, Connected], "ready 1"),
    ] {
        let mut run = after(2, &[]);
        for input in inputs {
            run.at_once(*input);
        }
        assert!(run.shown().starts_with(expected), "{inputs:?}: {}", run.shown());
    }
}

#[test]
fn a_host_that_refuses_is_asked_slowly_while_the_others_are_tried_as_ever() {
    let mut run = after(2, &[Wanted, Connected, Lost]);
    let (mut refused, begin) = (0, run.now);
    while run.now < begin + Duration::from_secs(60) {
        match run.machine.state {
            State::Connecting { host: 0 } => {
                refused += 1;
                run.at_once(Refused);
            }
            State::Connecting { .. } => {
                run.at_once(Unreachable);
            }
            State::BackingOff { until, .. } => {
                assert!(until <= run.now + Duration::from_secs(1), "the other host is due");
                run.now = until;
                run.at_once(PauseOver);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 6);
}

#[test]
fn without_credentials_no_host_is_tried() {
    let mut run = after(3, &[Wanted]);
    run.at_once(NoCredentials);
    assert_eq!(run.shown(), "backing off from b for up to 10 s");
}

#[test]
fn what_nobody_wants_any_more_begins_anew_when_it_is_wanted_again() {
    let mut run = after(1, &[Wanted, Connected, Unwanted, Wanted]);
    assert_eq!(run.at_once(Refused), State::Failed, "the credentials may be others now");
    let again = after(1, &[Wanted, Connected, Unwanted, Wanted, Connected]);
    assert_eq!(again.machine.state, State::Ready { generation: 2 });
}

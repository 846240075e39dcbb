//! What is known of a connection, and how it is said.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lapin::Connection;

use super::state::{Machine, State};
use crate::refusal::{Kind, Refusal};

/// A snapshot of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(super) state: State,
    /// While it is ready or blocked.
    pub(super) connection: Option<Arc<Connection>>,
    /// Why it is blocked, or what ended the last tries or the last connection.
    pub(super) why: Option<Refusal>,
    /// The number of the last connection that ended, and what ended it, in its host's own words.
    pub(super) ended: Option<(u64, Refusal)>,
    /// The last wish that this is an answer to.
    pub(super) call: u64,
    /// The host that it is connected to, or that is tried: which of them, and its name.
    pub(crate) host: usize,
    host_name: Arc<str>,
    /// Since when it is as it is: down, ready, blocked.
    since: Instant,
    /// How many tries failed since then.
    failures: u32,
    /// It worked before.
    proven: bool,
}

/// States that are one to whoever waits for a connection.
#[derive(PartialEq, Eq)]
enum Sort {
    Resting,
    Down,
    Ready,
    Blocked,
}

impl Status {
    pub(super) fn new(now: Instant) -> Self {
        let (state, connection, why, ended) = (State::Idle, None, None, None);
        let (call, host, host_name, failures, proven) = (0, 0, "".into(), 0, false);
        Self { state, connection, why, ended, call, host, host_name, since: now, failures, proven }
    }

    /// After a step.
    pub(super) fn follow(&mut self, machine: &Machine, host: &str, why: Option<Refusal>, call: u64, now: Instant) {
        let before = std::mem::replace(&mut self.state, machine.state);
        if sort(before) != sort(machine.state) {
            self.since = now;
        }
        self.host = machine.host();
        if *self.host_name != *host {
            self.host_name = host.into();
        }
        (self.why, self.call) = (why, call);
        (self.failures, self.proven) = (machine.failures, machine.proven());
        if self.usable().is_none() {
            self.connection = None;
        }
    }

    /// The connection and its number, if it can be used.
    pub(crate) fn usable(&self) -> Option<(u64, &Arc<Connection>)> {
        match self.state {
            State::Ready { generation } | State::Blocked { generation } => {
                self.connection.as_ref().map(|connection| (generation, connection))
            }
            _ => None,
        }
    }

    /// What ended that connection, if it is the last one that ended.
    pub(crate) fn end_of(&self, generation: u64) -> Option<&Refusal> {
        self.ended.as_ref().filter(|(ended, _)| *ended == generation).map(|(_, why)| why)
    }

    /// The broker takes publishes.
    pub(crate) fn open(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// It works, and those before it did not last: this one may not either.
    pub(crate) fn shaky(&self) -> bool {
        self.open() && self.why.is_some()
    }

    /// Trying again does not help.
    pub(crate) fn refused(&self) -> bool {
        self.state == State::Failed
    }

    /// Why it cannot be used, in words.
    pub(crate) fn reason(&self, now: Instant) -> String {
        let (host, time) = (&self.host_name, seconds(now.saturating_duration_since(self.since)));
        let mut what = match self.state {
            State::Ready { .. } if self.why.is_none() => return format!("it is connected to {host}"),
            State::Ready { .. } => format!("connections do not last, now to {host}"),
            State::Blocked { .. } => format!("{host} has taken no messages for {time}, blocked by the broker"),
            State::Idle => "it is not connected".to_owned(),
            State::Connecting { .. } | State::BackingOff { .. } if self.proven => {
                format!("the connection has been down for {time}")
            }
            State::Connecting { .. } | State::BackingOff { .. } => format!("no connection could be made for {time}"),
            State::Failed => "the broker refused the connection, and is not asked again".to_owned(),
            State::Closed => "the transport is closed".to_owned(),
        };
        if sort(self.state) == Sort::Down && self.failures > 0 {
            let tries = if self.failures == 1 { "try" } else { "tries" };
            what += &format!(", after {} failed {tries}", self.failures);
        }
        match self.state {
            // What comes sooner is over before it is read.
            State::BackingOff { until, .. } if until > now + Duration::from_secs(2) => {
                what += &format!(", and the next one is in {}", seconds(until - now));
            }
            _ => {}
        }
        match &self.why {
            Some(why) => format!("{what}: {why}"),
            None => what,
        }
    }

    pub(crate) fn refusal(&self, now: Instant) -> Refusal {
        self.why.clone().unwrap_or_else(|| Refusal::new(Kind::Disconnected, self.reason(now)))
    }
}

fn sort(state: State) -> Sort {
    match state {
        State::Idle | State::Failed | State::Closed => Sort::Resting,
        State::Connecting { .. } | State::BackingOff { .. } => Sort::Down,
        State::Ready { .. } => Sort::Ready,
        State::Blocked { .. } => Sort::Blocked,
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::state::Input;

    #[test]
    fn every_state_reads_as_a_sentence() {
        use Input::*;
        let table: [(&[Input], Option<&str>, &str); 12] = [
            (&[], None, "it is not connected"),
            (&[Wanted], None, "no connection could be made for 7 s"),
            (
                &[Wanted, Unreachable],
                Some("Connection refused"),
                "no connection could be made for 7 s, after 1 failed try: Connection refused",
            ),
            (
                &[Wanted, NoCredentials],
                Some("the vault is sealed"),
                "no connection could be made for 7 s, after 1 failed try, and the next one is in 3 s: the vault is \
                 sealed",
            ),
            (
                &[Wanted, Refused],
                Some("ACCESS_REFUSED"),
                "the broker refused the connection, and is not asked again: ACCESS_REFUSED",
            ),
            (&[Wanted, Connected], None, "it is connected to b:5672"),
            (
                &[Wanted, Connected, Blocked],
                Some("low on memory"),
                "b:5672 has taken no messages for 7 s, blocked by the broker: low on memory",
            ),
            (
                &[Wanted, Connected, Lost],
                Some("CONNECTION_FORCED"),
                "the connection has been down for 7 s: CONNECTION_FORCED",
            ),
            (
                &[Wanted, Connected, Lost, Unreachable, PauseOver, Unreachable],
                Some("Connection refused"),
                "the connection has been down for 7 s, after 2 failed tries: Connection refused",
            ),
            (
                &[Wanted, Connected, Lost, Refused],
                Some("ACCESS_REFUSED"),
                "the connection has been down for 7 s, after 1 failed try, and the next one is in 3 s: ACCESS_REFUSED",
            ),
            (
                &[Wanted, Connected, LostEarly, PauseOver, Connected],
                Some("unreadable"),
                "connections do not last, now to b:5672: unreadable",
            ),
            (&[Wanted, Connected, Close], None, "the transport is closed"),
        ];
        #[allow(clippy::disallowed_methods, reason = "any time will do")]
        let begin = Instant::now();
        for (inputs, why, expected) in table {
            let mut machine = Machine::new(1, 0, begin);
            let mut status = Status::new(begin);
            let why = why.map(|why| Refusal::new(Kind::Disconnected, why));
            for input in inputs {
                machine.step(*input, begin);
                status.follow(&machine, "b:5672", why.clone(), 0, begin);
            }
            assert_eq!(status.reason(begin + Duration::from_secs(7)), expected, "{inputs:?}");
        }
    }

    #[test]
    fn how_long_it_lasts_counts_from_its_beginning_and_not_from_the_last_try() {
        #[allow(clippy::disallowed_methods, reason = "any time will do")]
        let begin = Instant::now();
        let (mut machine, mut status) = (Machine::new(1, 0, begin), Status::new(begin));
        let steps = [
            (0, Input::Wanted),
            (1, Input::Connected),
            (5, Input::Lost),
            (6, Input::Unreachable),
            (8, Input::PauseOver),
        ];
        for (second, input) in steps {
            let now = begin + Duration::from_secs(second);
            machine.step(input, now);
            status.follow(&machine, "h:1", None, 0, now);
        }
        let reason = status.reason(begin + Duration::from_secs(10));
        assert_eq!(reason, "the connection has been down for 5 s, after 1 failed try");
    }
}

//! What a connection does next, as a value: no I/O, and time only as it is told.

use std::time::{Duration, Instant};

use super::backoff;

/// When to ask a host again that refused us: after the first success that may be a rotated password, and who asks
/// often is locked out.
pub(crate) const SLOW: Duration = Duration::from_secs(10);

/// Where one connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody asked for it yet, or nobody does any more.
    Idle,
    /// An attempt at this host is under way.
    Connecting { host: usize },
    /// It works.
    Ready { generation: u64 },
    /// It works, but the broker takes no publishes: an alarm.
    Blocked { generation: u64 },
    /// The next attempt waits, as no host is due before.
    BackingOff { host: usize, until: Instant },
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
    /// There are no credentials to try with.
    NoCredentials,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) state: State,
    /// How many connections there were. A reconnect is told by it.
    pub(crate) generation: u64,
    /// How many attempts failed since there was a connection, or since somebody began to want one.
    pub(crate) failures: u32,
    /// There was a connection since somebody began to want one: the credentials were right.
    proven: bool,
    /// How many connections in a row ended early.
    early: u32,
    /// The host of the last attempt, or the one to begin with.
    host: usize,
    hosts: Vec<Host>,
}

/// One host, of which the machine knows no more than its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Host {
    /// Not to be tried before.
    due: Instant,
    /// How many attempts at it failed in a row.
    failures: u32,
    /// The last one was refused.
    refused: bool,
}

impl Machine {
    /// For so many hosts, of which the `first` is tried first, and then the others in turn.
    pub(crate) fn new(hosts: usize, first: usize, now: Instant) -> Self {
        let host = Host { due: now, failures: 0, refused: false };
        let hosts = vec![host; hosts.max(1)];
        Self { state: State::Idle, generation: 0, failures: 0, proven: false, early: 0, host: first, hosts }
    }

    /// The connections before this one ended early.
    pub(crate) fn shaky(&self) -> bool {
        self.early > 0
    }

    /// The credentials were right once.
    pub(crate) fn proven(&self) -> bool {
        self.proven
    }

    /// The host that is tried, or was last.
    pub(crate) fn host(&self) -> usize {
        self.host
    }

    /// What follows. An input that does not fit changes nothing.
    pub(crate) fn step(&mut self, input: Input, now: Instant) {
        match (self.state, input) {
            (State::Closed, _) => {}
            (_, Input::Close) => self.state = State::Closed,
            (State::Failed, Input::Unwanted) => {}
            (_, Input::Unwanted) => self.begin_anew(State::Idle, now),
            (State::Idle | State::Failed, Input::Wanted) => {
                self.begin_anew(State::Connecting { host: self.host }, now);
            }
            (State::Connecting { host }, Input::Connected) => {
                self.generation += 1;
                (self.proven, self.failures) = (true, 0);
                self.hosts[host] = Host { due: now, failures: 0, refused: false };
                self.state = State::Ready { generation: self.generation };
            }
            (State::Connecting { host }, Input::Unreachable) => {
                self.failed(host, now + backoff::pause(self.hosts[host].failures), false);
                self.turn(now);
            }
            (State::Connecting { host }, Input::Refused) => {
                self.failed(host, now + SLOW, true);
                self.turn(now);
            }
            (State::Connecting { host }, Input::NoCredentials) => {
                // At another host they would be missing, too.
                self.failed(host, now + SLOW, false);
                self.hosts.iter_mut().for_each(|host| host.due = now + SLOW);
                self.turn(now);
            }
            (State::BackingOff { host, .. }, Input::PauseOver) => self.state = State::Connecting { host },
            (State::Ready { generation }, Input::Blocked) => self.state = State::Blocked { generation },
            (State::Blocked { generation }, Input::Unblocked) => self.state = State::Ready { generation },
            (State::Ready { .. } | State::Blocked { .. }, Input::Lasted) => self.early = 0,
            // At once: most losses are a restart of the other side of a proxy, or of one host of several.
            (State::Ready { .. } | State::Blocked { .. }, Input::Lost) => {
                self.early = 0;
                self.turn(now);
            }
            (State::Ready { .. } | State::Blocked { .. }, Input::LostEarly) => {
                let rounds = self.early / u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
                self.hosts[self.host].due = now + backoff::pause(rounds);
                self.early = self.early.saturating_add(1);
                self.turn(now);
            }
            _ => {}
        }
        if let State::Connecting { host } = self.state {
            self.host = host;
        }
    }

    /// Forgets all but how many connections there were, and where it is.
    fn begin_anew(&mut self, state: State, now: Instant) {
        let anew = Self::new(self.hosts.len(), self.host, now);
        *self = Self { state, generation: self.generation, ..anew };
    }

    fn failed(&mut self, host: usize, due: Instant, refused: bool) {
        self.failures = self.failures.saturating_add(1);
        let failures = self.hosts[host].failures.saturating_add(1);
        self.hosts[host] = Host { due, failures, refused };
    }

    /// Goes to the host that is due first; of several, to the one next in turn.
    fn turn(&mut self, now: Instant) {
        // The hosts of a cluster know the same users: a refusal by one counts for those that did not answer.
        let all_tried = self.hosts.iter().all(|host| host.failures > 0);
        if !self.proven && all_tried && self.hosts.iter().any(|host| host.refused) {
            self.state = State::Failed;
            return;
        }
        let in_turn = (1..=self.hosts.len()).map(|step| (self.host + step) % self.hosts.len());
        let next = in_turn.min_by_key(|host| self.hosts[*host].due.max(now)).unwrap_or_default();
        let until = self.hosts[next].due;
        self.state = match until > now {
            true => State::BackingOff { host: next, until },
            false => State::Connecting { host: next },
        };
    }
}

#[cfg(test)]
mod tests;

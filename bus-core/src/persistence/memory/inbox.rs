use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::{persistence::InboxKey, transport::Outgoing};

/// The messages that were handled, or are.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) window: Duration,
    pub(super) capacity: usize,
    known: HashMap<InboxKey, Known>,
    /// The handled ones, oldest first.
    done: VecDeque<(Instant, InboxKey)>,
}

#[derive(Debug)]
enum Known {
    Claimed,
    Done { unsent: Vec<Outgoing> },
}

/// What an inbox says to a claim.
#[derive(Debug)]
pub(super) enum Found {
    /// It is the caller's now.
    New,
    /// Another unit has it.
    Busy,
    Done(Vec<Outgoing>),
}

impl Default for Inbox {
    fn default() -> Self {
        Self { window: Duration::from_secs(30 * 60), capacity: 100_000, known: HashMap::new(), done: VecDeque::new() }
    }
}

impl Inbox {
    pub(super) fn claim(&mut self, key: &InboxKey, now: Instant) -> Found {
        self.forget(now);
        match self.known.get(key) {
            None => {
                self.known.insert(key.clone(), Known::Claimed);
                Found::New
            }
            Some(Known::Claimed) => Found::Busy,
            Some(Known::Done { unsent }) => Found::Done(unsent.clone()),
        }
    }

    pub(super) fn unclaim(&mut self, key: &InboxKey) {
        self.known.remove(key);
    }

    pub(super) fn commit(&mut self, key: InboxKey, unsent: Vec<Outgoing>, now: Instant) {
        self.known.insert(key.clone(), Known::Done { unsent });
        self.done.push_back((now, key));
        self.forget(now);
    }

    /// What was to leave has left.
    pub(super) fn delivered(&mut self, key: &InboxKey) -> Vec<Outgoing> {
        match self.known.get_mut(key) {
            Some(Known::Done { unsent }) => std::mem::take(unsent),
            _ => Vec::new(),
        }
    }

    /// Forgets what is too old, or too much; of the latter not what still has to leave.
    fn forget(&mut self, now: Instant) {
        let mut kept = 0;
        while let Some((at, key)) = self.done.front() {
            let old = now.saturating_duration_since(*at) >= self.window;
            if kept == self.done.len() || !old && self.done.len() <= self.capacity {
                break;
            }
            if !old
                && let Some(Known::Done { unsent }) = self.known.get(key)
                && !unsent.is_empty()
            {
                // Few: each belongs to a delivery at work.
                kept += 1;
                self.done.rotate_left(1);
                continue;
            }
            self.known.remove(key);
            self.done.pop_front();
        }
    }
}

//! What is at work, and what comes again of it meanwhile.

use std::{
    collections::HashMap,
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::{arrival::STARTS, turn::Turn};
use crate::transport::{Delivery, SettleOutcome, Settlement};

/// How the work at a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is out of the queue.
    Settled,
    /// It was handled, and the broker does not know.
    Handled,
    /// It comes again.
    Returned,
}

impl Ended {
    pub(super) fn of(outcome: SettleOutcome) -> Self {
        if outcome == SettleOutcome::Settled { Self::Settled } else { Self::Returned }
    }
}

/// The handlers that run. When the subscription is lost they go on, and their messages come again: those are not
/// begun beside them, but wait, and are done when the handler is.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    tasks: JoinSet<Ended>,
    works: HashMap<Id, Work>,
    /// By what they are, those whose delivery is lost and did not come again.
    lost: HashMap<u64, Vec<Id>>,
    held: usize,
    prints: Prints,
}

#[derive(Debug)]
struct Work {
    message_id: Option<Arc<str>>,
    body: Bytes,
    /// A lane keeps what comes again behind what is at work anyhow.
    in_lane: bool,
    arrived: Instant,
    begun: Instant,
    task: AbortHandle,
    /// The delivery cannot be settled any more.
    lost: bool,
    again: Option<Turn>,
}

impl Work {
    /// What comes again of it can be known, and is not in order. Of two without an id and with the same body the other
    /// one may be another message, and the first may be settled already.
    fn can_wait(&self) -> bool {
        !self.in_lane && self.message_id.is_some()
    }
}

/// Tells a message from all others but a twin of its id and body.
#[derive(Debug, Clone, Default)]
pub(super) struct Prints(RandomState);

impl Prints {
    pub(super) fn of(&self, delivery: &Delivery) -> u64 {
        self.print(delivery.message_id.as_deref(), &delivery.body)
    }

    fn print(&self, message_id: Option<&str>, body: &[u8]) -> u64 {
        self.0.hash_one((message_id, body))
    }
}

impl AtWork {
    pub(super) fn new(prints: Prints) -> Self {
        Self { prints, ..Self::default() }
    }

    /// Lets work run. Without `begins` it is not a handler's.
    pub(super) fn begin(&mut self, begins: Option<Begins>, work: impl Future<Output = Ended> + Send + 'static) {
        let task = self.tasks.spawn(work);
        let Some(Begins { message_id, body, in_lane, arrived, begun }) = begins else { return };
        let work = Work { message_id, body, in_lane, arrived, begun, task, lost: false, again: None };
        self.works.insert(work.task.id(), work);
    }

    /// How many messages came again and wait for their handler.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether nothing is at work that could still be settled, and something is.
    pub(super) fn is_lost(&self) -> bool {
        !self.works.is_empty() && self.works.values().all(|work| work.lost)
    }

    /// What is at work cannot be settled any more, and comes again.
    pub(super) fn lose(&mut self) {
        self.lost.clear();
        self.held = 0;
        for (id, work) in &mut self.works {
            work.lost = true;
            // It comes once more.
            work.again = None;
            if work.can_wait() {
                let print = self.prints.print(work.message_id.as_deref(), &work.body);
                self.lost.entry(print).or_default().push(*id);
            }
        }
    }

    /// The same, since the broker does not wait longer for one of them: those are cancelled that took most of its
    /// time. What waited that long before it was begun is not to blame. Returns what comes again of them.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<u64> {
        let out = |work: &Work| match &work.again {
            Some(turn) => Some(turn.arrived),
            None => Some(work.arrived).filter(|_| !work.lost),
        };
        let longest = self.works.values().filter_map(out).min().map(|oldest| now.saturating_duration_since(oldest));
        let blamed = |work: &&Work| {
            let took = now.saturating_duration_since(work.begun);
            out(work).is_some() && longest.is_some_and(|longest| took > Duration::ZERO && took >= longest / 2)
        };
        let mut prints = Vec::new();
        for work in self.works.values().filter(blamed) {
            work.task.abort();
            prints.push(self.prints.print(work.message_id.as_deref(), &work.body));
        }
        self.lose();
        prints
    }

    /// Keeps a message that came again while its handler runs; else gives it back.
    pub(super) fn hold(&mut self, mut turn: Turn) -> Option<Turn> {
        if self.lost.is_empty() || turn.lane().is_some() || turn.delivery.message_id.is_none() {
            return Some(turn);
        }
        // Itself, or a copy that took its place.
        if !turn.delivery.redelivered && turn.delivery.headers.get(STARTS).is_none() {
            return Some(turn);
        }
        let waits = self.lost.get_mut(&self.prints.of(&turn.delivery)).and_then(Vec::pop);
        let Some(work) = waits.and_then(|id| self.works.get_mut(&id)) else { return Some(turn) };
        // It is at work here: it ended no process.
        turn.counts = false;
        work.again = Some(turn);
        self.held += 1;
        None
    }

    /// Takes note of what ended meanwhile. Appends what is to be begun after all.
    pub(super) fn reap(&mut self, again: &mut Vec<Turn>) {
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            again.extend(self.ended(joined));
        }
    }

    /// Waits until something ends: false if nothing is at work. Appends what is to be begun after all. Safe to cancel.
    pub(super) async fn next(&mut self, again: &mut Vec<Turn>) -> bool {
        let Some(joined) = self.tasks.join_next_with_id().await else { return false };
        again.extend(self.ended(joined));
        true
    }

    fn ended(&mut self, joined: Result<(Id, Ended), JoinError>) -> Option<Turn> {
        let (id, ended) = joined.unwrap_or_else(|error| (error.id(), Ended::Returned));
        let work = self.works.remove(&id)?;
        let Some(turn) = work.again else {
            if work.lost && work.can_wait() {
                self.forget(&work, id);
            }
            return None;
        };
        self.held -= 1;
        // One that is out of its queue does not come again: this is a twin, or a copy that took its place.
        if ended != Ended::Handled {
            return Some(turn);
        }
        tracing::debug!(
            message_id = turn.delivery.message_id.as_deref(),
            "a message came again while its handler ran, and is done with it"
        );
        drop(turn.delivery.unsettled.settle(Settlement::Complete));
        None
    }

    fn forget(&mut self, work: &Work, id: Id) {
        let print = self.prints.print(work.message_id.as_deref(), &work.body);
        if let Some(ids) = self.lost.get_mut(&print) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.lost.remove(&print);
            }
        }
    }

    /// Cancels everything, and waits until it is over.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// What is known of a delivery whose work begins.
#[derive(Debug)]
pub(super) struct Begins {
    message_id: Option<Arc<str>>,
    body: Bytes,
    in_lane: bool,
    arrived: Instant,
    begun: Instant,
}

impl Begins {
    pub(super) fn of(turn: &Turn, now: Instant) -> Self {
        Self {
            message_id: turn.delivery.message_id.clone(),
            body: turn.delivery.body.clone(),
            in_lane: turn.lane().is_some(),
            arrived: turn.arrived,
            begun: now,
        }
    }
}

//! What is known of each number, and when what happened.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

pub(super) struct Seen {
    pub(super) kinds: [Mutex<Counts>; 2],
    /// For how many more may be sent.
    pub(super) room: [Semaphore; 2],
    pub(super) news: Notify,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) next: u32,
    /// So many are sent; none says that it goes on and on.
    pub(super) goal: Option<u32>,
    /// The last try of each number to send it.
    pub(super) sent: HashMap<u32, Try>,
    /// The last run of the first consumer that came to its end, and how many did.
    pub(super) first: HashMap<u32, Run>,
    /// How often the second consumer handled each.
    pub(super) second: HashMap<u32, u32>,
    pub(super) confirms: Moments,
    pub(super) first_handled: Moments,
    pub(super) second_handled: Moments,
    /// The fewest that were in flight when the fault came.
    pub(super) in_flight: Option<u32>,
    pub(super) deletions: Vec<Deletion>,
    pub(super) errors: Vec<String>,
}

/// From when to when something was tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    pub(super) began: Instant,
    /// Not yet.
    pub(super) ended: Option<Instant>,
}

pub(super) struct Run {
    pub(super) times: u32,
    pub(super) last: Try,
    id: Option<Uuid>,
}

/// Which of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Second,
}

/// A queue that an operator deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion {
    pub(crate) place: Place,
    /// How many lay ready in it, as the broker said.
    pub(crate) ready: u32,
    /// Of the call.
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

impl Counts {
    /// Sent or being sent, and not handled to the end.
    pub(super) fn flying(&self) -> u32 {
        self.next.saturating_sub(self.second.len() as u32 + self.taken())
    }

    /// How many the broker said that it deleted.
    pub(super) fn taken(&self) -> u32 {
        self.deletions.iter().map(|deletion| deletion.ready).sum()
    }

    pub(super) fn confirmed(&self) -> usize {
        self.confirms.0.len()
    }

    pub(super) fn handled(&self) -> usize {
        self.first_handled.0.len() + self.second_handled.0.len()
    }

    pub(super) fn first(&mut self, number: u32, id: Option<Uuid>, last: Try) {
        self.first_handled.note();
        let run = self.first.entry(number).or_insert(Run { times: 0, last, id });
        run.times += 1;
        run.last = last;
        if run.id != id {
            self.errors.push(format!("{number} came with two ids, {:?} and {id:?}", run.id));
        }
    }

    /// What was being put into a queue while that was deleted: confirmed, and gone.
    pub(super) fn raced(&self) -> usize {
        let meets = |deletion: &Deletion, put: &Try| {
            put.began <= deletion.ended && put.ended.is_none_or(|ended| ended >= deletion.began)
        };
        let count = |deletion: &Deletion| match deletion.place {
            Place::First => self.sent.values().filter(|sent| meets(deletion, sent)).count(),
            Place::Second => self.first.values().filter(|run| meets(deletion, &run.last)).count(),
        };
        self.deletions.iter().map(count).sum()
    }

    /// Numbers that are nowhere, and that no deletion explains: they were put into a queue after it.
    pub(super) fn unexplained(&self) -> Vec<u32> {
        let explains = |deletion: &Deletion, number: &u32| {
            let put = match deletion.place {
                Place::First => self.sent.get(number).copied(),
                Place::Second => self.first.get(number).map(|run| run.last),
            };
            put.is_some_and(|put| put.began <= deletion.ended)
        };
        let lost = (0..self.goal.unwrap_or_default()).filter(|number| !self.second.contains_key(number));
        lost.filter(|number| !self.deletions.iter().any(|deletion| explains(deletion, number))).collect()
    }
}

/// How long buffers last at the most, if nothing comes.
const STILL: Duration = Duration::from_secs(1);

/// When something happened, in order.
#[derive(Default)]
pub(super) struct Moments(Vec<Instant>);

impl Moments {
    pub(super) fn note(&mut self) {
        self.0.push(Instant::now());
    }

    /// How long after `since` it happened, not counting the first `buffered` times: what was on its way when the fault
    /// came may happen yet. If it had stood still before, nothing was.
    pub(super) fn after(&self, since: Instant, buffered: usize) -> Option<Duration> {
        let from = self.0.partition_point(|at| *at < since);
        let stood = self.0[..from].last().is_none_or(|last| since - *last > STILL);
        let at = self.0.get(from + if stood { 0 } else { buffered })?;
        Some(*at - since)
    }

    /// The longest time in which it did not happen.
    pub(super) fn gap(&self) -> Option<Duration> {
        self.0.windows(2).map(|two| two[1] - two[0]).max()
    }
}

impl Default for Seen {
    fn default() -> Self {
        let room = [Semaphore::new(0), Semaphore::new(0)];
        Self { kinds: Default::default(), room, news: Notify::default() }
    }
}

impl Seen {
    pub(super) fn second(&self, kind: usize, number: u32) {
        self.note(kind, |counts| {
            counts.second_handled.note();
            let times = counts.second.entry(number).or_default();
            *times += 1;
            if *times == 1 {
                self.room[kind].add_permits(1);
            }
        });
    }

    pub(super) fn note(&self, kind: usize, note: impl FnOnce(&mut Counts)) {
        note(&mut self.kinds[kind].lock().unwrap());
        self.news.notify_waiters();
    }

    pub(super) async fn until(&self, mut is: impl FnMut(&Self) -> bool) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if is(self) {
                return;
            }
            news.await;
        }
    }
}

use std::{sync::Arc, task::Waker};

use bus_core::clock::Clock;

use super::{dead_letters::DeadLetters, message::Entry};

/// What is left to do once the queue's lock is open: wakers and the owners of bodies may run anybody's code.
#[derive(Debug, Default)]
#[must_use = "whoever waits has to be woken"]
pub(crate) struct After {
    /// Nearly always there is one at most, and nothing else.
    wake: Option<Waker>,
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    wake: Vec<Waker>,
    stale: Vec<Waker>,
    expired: Vec<(Entry, Clock)>,
    dead_letters: Option<Arc<DeadLetters>>,
}

impl After {
    pub(super) fn wake(&mut self, waker: Waker) {
        match &self.wake {
            None => self.wake = Some(waker),
            Some(_) => self.more().wake.push(waker),
        }
    }

    /// A waker that nobody waits with any more.
    pub(super) fn drop_waker(&mut self, waker: Waker) {
        self.more().stale.push(waker);
    }

    /// A message whose time is over: it is a dead letter, or nothing.
    pub(super) fn drop_expired(&mut self, entry: Entry, clock: &Clock) {
        self.more().expired.push((entry, clock.clone()));
    }

    /// Says what becomes of those that expired.
    pub(super) fn address(&mut self, dead_letters: &Arc<DeadLetters>) {
        if let Some(more) = &mut self.more {
            more.dead_letters = Some(dead_letters.clone());
        }
    }

    /// Does it, where no lock is held.
    #[inline]
    pub(crate) fn run(self) {
        if let Some(waker) = self.wake {
            waker.wake();
        }
        if let Some(more) = self.more {
            more.run();
        }
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

impl More {
    #[cold]
    fn run(self) {
        if let Some(dead_letters) = self.dead_letters {
            self.expired.iter().for_each(|(entry, clock)| dead_letters.send(&entry.message, clock));
        }
        self.wake.into_iter().for_each(Waker::wake);
    }
}

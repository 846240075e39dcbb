use std::task::Waker;

use super::message::Entry;

/// What is left to do once the queue's lock is open: wakers and the owners of bodies may run anybody's code.
#[derive(Debug, Default)]
#[must_use = "whoever waits has to be woken"]
pub(crate) struct After {
    /// Nearly always there is one at most, and a vector would be an allocation.
    wake: Option<Waker>,
    wake_more: Vec<Waker>,
    stale: Option<Waker>,
    expired: Vec<Entry>,
}

impl After {
    pub(super) fn wake(&mut self, waker: Waker) {
        match &self.wake {
            None => self.wake = Some(waker),
            Some(_) => self.wake_more.push(waker),
        }
    }

    /// A waker that nobody waits with any more; there is one at most.
    pub(super) fn drop_waker(&mut self, waker: Option<Waker>) {
        self.stale = waker;
    }

    pub(super) fn drop_expired(&mut self, entry: Entry) {
        self.expired.push(entry);
    }

    /// Does it, where no lock is held.
    pub(crate) fn run(self) {
        for waker in self.wake.into_iter().chain(self.wake_more) {
            waker.wake();
        }
    }
}

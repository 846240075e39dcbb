use std::task::Waker;

use super::message::Entry;

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
    expired: Vec<Entry>,
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

    pub(super) fn drop_expired(&mut self, entry: Entry) {
        self.more().expired.push(entry);
    }

    /// Does it, where no lock is held.
    #[inline]
    pub(crate) fn run(self) {
        if let Some(waker) = self.wake {
            waker.wake();
        }
        if let Some(more) = self.more {
            more.wake.into_iter().for_each(Waker::wake);
        }
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

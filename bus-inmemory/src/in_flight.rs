use std::sync::atomic::{AtomicUsize, Ordering};

/// How many messages wait in the buffers of one transport's receivers. Changed under the lock of the queue that
/// they come from: from elsewhere it is exact between a queue's steps, and within one it is never too low.
#[derive(Debug, Default)]
pub(crate) struct InFlight(AtomicUsize);

impl InFlight {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn add(&self, messages: usize) {
        self.0.fetch_add(messages, Ordering::AcqRel);
    }

    /// The last thing of a step: what goes from one buffer to another was added there before.
    #[inline]
    pub(crate) fn remove(&self, messages: usize) {
        if messages > 0 {
            self.0.fetch_sub(messages, Ordering::AcqRel);
        }
    }
}

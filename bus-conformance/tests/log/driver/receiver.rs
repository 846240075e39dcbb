use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use bus_core::transport::{Event, Receiver};

use super::subscription::Subscription;

/// A reader of a group. Closing or dropping it gives its partitions to the others at once: what is not committed
/// comes to them, and settling it here is `LeaseLost` from then on.
#[derive(Debug)]
pub(super) struct LogReceiver(Arc<Subscription>);

impl LogReceiver {
    pub(super) fn new(subscription: Arc<Subscription>) -> Self {
        Self(subscription)
    }
}

impl Receiver for LogReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let before = into.len();
            loop {
                tokio::task::coop::consume_budget().await;
                Subscription::take(&self.0, max, into);
                if into.len() > before {
                    return;
                }
                self.0.woken().await;
            }
        })
    }

    fn pause(&mut self) {
        self.0.pause();
    }

    fn close(self: Box<Self>, _: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // A commit is done when a settlement is handed over: nothing is under way.
        Box::pin(ready(()))
    }
}

impl Drop for LogReceiver {
    fn drop(&mut self) {
        self.0.end();
    }
}

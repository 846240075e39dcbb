use std::{
    future::{Future, poll_fn, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bus_core::{
    BoxError,
    transport::{Delivery, Event, Lease, Receiver, Unsettled},
};
use tokio::task::coop::cooperative;

use crate::{queue::Taken, subscription::Subscription};

/// A receiver of one queue.
///
/// - [`pause`](Receiver::pause): what it did not hand out goes back to the queue at once.
/// - [`close`](Receiver::close): the same, for good, and without waiting: the broker is here, so no
///   settlement is ever under way. What was handed out stays with who has it, and can be settled
///   afterwards; dropped, it is released.
/// - Dropping the receiver, and closing or dropping its transport, releases what was handed out as well;
///   settling that afterwards is [`LeaseLost`](bus_core::transport::SettleOutcome::LeaseLost).
///
/// When its transport is closed it tells [`Event::Lost`], and then nothing more.
#[derive(Debug)]
pub(crate) struct MemoryReceiver {
    subscription: Arc<Subscription>,
    /// Empty between calls; kept for its room.
    taken: Vec<Taken>,
    told_lost: bool,
    closed: bool,
}

impl MemoryReceiver {
    pub(crate) fn new(subscription: Arc<Subscription>) -> Self {
        Self { subscription, taken: Vec::new(), told_lost: false, closed: false }
    }

    fn poll_next(&mut self, cx: &Context<'_>, max: usize, into: &mut Vec<Event>) -> Poll<()> {
        match self.subscription.take(max.max(1), cx.waker(), &mut self.taken) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(())) => {
                // Headers are copied here, where the queue is no longer locked.
                let subscription = &self.subscription;
                into.extend(
                    self.taken.drain(..).map(|taken| Event::Delivery(Box::new(delivery(subscription, &taken)))),
                );
                Poll::Ready(())
            }
            Poll::Ready(None) if self.told_lost => Poll::Pending,
            Poll::Ready(None) => {
                self.told_lost = true;
                into.push(Event::Lost(BoxError::from("the transport was closed").into()));
                Poll::Ready(())
            }
        }
    }
}

fn delivery(subscription: &Arc<Subscription>, taken: &Taken) -> Delivery {
    let message = &taken.message;
    let unsettled = Unsettled::new(subscription.clone(), subscription.token(taken.number));
    let mut delivery = Delivery::new(message.body.clone(), unsettled);
    delivery.content_type = message.content_type.clone();
    delivery.message_id = message.message_id.clone();
    delivery.correlation_id = message.correlation_id.clone();
    delivery.headers = message.headers.clone();
    delivery.durable = message.durable;
    delivery.routing_key = message.routing_key.clone();
    delivery.priority = message.priority;
    delivery.redelivered = taken.deliveries > 1;
    delivery.broker_deliveries = Some(taken.deliveries);
    delivery.lane = subscription.lane(message);
    delivery.lease = taken.lease.map(|until| Lease { until });
    delivery
}

impl Receiver for MemoryReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        // Cooperative, since a busy queue is always ready and its reader would keep the thread.
        Box::pin(cooperative(poll_fn(move |cx| self.poll_next(cx, max, into))))
    }

    fn pause(&mut self) {
        self.subscription.pause();
    }

    fn close(mut self: Box<Self>, _: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.closed = true;
        self.subscription.close();
        Box::pin(ready(()))
    }
}

impl Drop for MemoryReceiver {
    fn drop(&mut self) {
        if !self.closed {
            self.subscription.end();
        }
    }
}

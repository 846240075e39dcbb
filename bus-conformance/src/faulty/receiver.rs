use std::{future::Future, pin::Pin, sync::Arc, time::Instant};

use bus_core::transport::{Delivery, Event, Receiver, Settlement};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    Faults, Flaw,
    faults::{Loss, Losses},
    handed_out::Out,
};

/// A receiver around another one.
#[derive(Debug)]
pub(super) struct FaultyReceiver {
    inner: Box<dyn Receiver>,
    faults: Faults,
    queue: Arc<str>,
    losses: watch::Receiver<Losses>,
    lost: bool,
    /// How many deliveries are thrown away first.
    skip: usize,
    out: Out,
    /// What the broker sent before it heard of the pause, while deliveries are late.
    late: Vec<Event>,
    paused: bool,
}

impl FaultyReceiver {
    pub(super) fn new(inner: Box<dyn Receiver>, faults: Faults, queue: Arc<str>, skip: usize) -> Self {
        let losses = faults.losses();
        Self { inner, faults, queue, losses, lost: false, skip, out: Out::default(), late: Vec::new(), paused: false }
    }

    /// What becomes of events of the transport's, as the flaw has it.
    fn admit(&mut self, mut events: Vec<Event>, mut place: Option<OwnedSemaphorePermit>) -> Vec<Event> {
        if self.faults.has(Flaw::Reorders) {
            events.reverse();
        }
        let admit = |event| match event {
            Event::Delivery(delivery) => self.wrap(*delivery, place.take()),
            other => Some(other),
        };
        events.into_iter().filter_map(admit).collect()
    }

    fn wrap(&mut self, mut delivery: Delivery, place: Option<OwnedSemaphorePermit>) -> Option<Event> {
        if self.skip > 0 {
            self.skip -= 1;
            drop(delivery.unsettled.settle(Settlement::Complete));
            return None;
        }
        if self.faults.has(Flaw::HidesRedelivery) {
            delivery.redelivered = false;
        }
        delivery.delivery_limit = self.faults.delivery_limit().or(delivery.delivery_limit);
        if delivery.delivery_limit.zip(delivery.broker_deliveries).is_some_and(|(limit, count)| count > limit) {
            drop(delivery.unsettled.settle(Settlement::Complete));
            return None;
        }
        self.out.wrap(&mut delivery, &self.faults, &self.queue, place);
        Some(Event::Delivery(Box::new(delivery)))
    }
}

impl Receiver for FaultyReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            loop {
                if self.paused && !self.late.is_empty() {
                    into.append(&mut self.late);
                    return;
                }
                let why = self.losses.borrow_and_update().get(&*self.queue).cloned();
                match (self.lost, why) {
                    (false, Some(why)) => {
                        self.lost = true;
                        self.out.give_back();
                        into.push(match why {
                            Loss::Cut(why) => Event::Lost(Arc::new(std::io::Error::other(why))),
                            Loss::Overdue(why) => Event::Overdue(Arc::new(std::io::Error::other(why))),
                        });
                        return;
                    }
                    (true, None) => {
                        self.lost = false;
                        into.push(Event::Restored);
                        return;
                    }
                    (true, Some(_)) => drop(self.losses.changed().await),
                    (false, None) => {
                        let mut events = Vec::new();
                        let inner = async {
                            let place = self.faults.place().await;
                            // A place is for one delivery.
                            let max = if place.is_some() { 1 } else { max };
                            self.inner.next(max, &mut events).await;
                            place
                        };
                        let place = tokio::select! {
                            biased;
                            _ = self.losses.changed() => continue,
                            place = inner => place,
                        };
                        let mut admitted = self.admit(events, place);
                        if !self.paused && self.faults.delivers_late() {
                            self.late.append(&mut admitted);
                        }
                        if !admitted.is_empty() {
                            into.append(&mut admitted);
                            return;
                        }
                    }
                }
            }
        })
    }

    fn pause(&mut self) {
        self.paused = true;
        self.inner.pause();
    }

    fn close(self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.inner.close(deadline)
    }
}

use std::{sync::Arc, time::Duration};

use bus_conformance::Place;
use bus_core::{
    Builder, Bus, Message,
    address::Destination,
    clock::Clock,
    transport::{
        Class, DeadLetter, Delivery, EnsureQueue, Event, Lane, Outgoing, PublishOutcome, Receiver, ReceiverSettings,
        Transport,
    },
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Log, broker::Broker, driver::LogDriver};

/// A number, which says its lane too: 12 is in the partition 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Log", crate = bus_core)]
pub(crate) struct Ticked {
    pub(crate) number: usize,
}

/// A broker of two partitions, and time that is moved by hand.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) clock: Clock,
    broker: Arc<Broker>,
}

/// How long a revoked partition may be kept.
pub(crate) const HANDOVER: Duration = Duration::from_secs(30);

impl Stage {
    pub(crate) async fn new() -> Self {
        let driver = LogDriver::leak(2, HANDOVER);
        let place = Place::new(Log(driver)).await;
        Self { place, clock: Clock::manual(0), broker: driver.broker().clone() }
    }

    /// A process with an endpoint `work`, to which nothing is published.
    pub(crate) async fn bus(
        &self,
        configure: impl FnOnce(bus_core::bus::EndpointBuilder) -> bus_core::bus::EndpointBuilder,
    ) -> Bus {
        let work = |b: Builder| b.endpoint("work", |e| configure(e.without_subscriptions().prefetch(12)));
        self.place.started(|b| work(b.clock(self.clock.clone()))).await
    }

    /// Sends the numbers to `work`, each in its lane.
    pub(crate) async fn send(&self, numbers: impl IntoIterator<Item = usize>) {
        let bus = self.place.started(|b| b).await;
        for number in numbers {
            bus.send("queue:work", Ticked { number }).lane(self.key(number)).await.unwrap();
        }
        bus.stop().await;
    }

    /// The transport, with a queue `work` in which messages with these numbers for bodies lie.
    pub(crate) async fn holding(&self, numbers: impl IntoIterator<Item = usize>) -> Arc<dyn Transport> {
        let transport = self.place.transport().await;
        for number in numbers {
            let body = Bytes::from(number.to_string());
            let mut message = Outgoing::new(Destination::Queue("work".into()), body, self.clock.after(HANDOVER));
            message.lane = Some(Lane(self.key(number).into()));
            message.extensions.insert(EnsureQueue { like: "work".into() });
            let permit = transport.publisher().ready(0, Class::Application).await;
            let outcome = transport.publisher().submit(permit, message).await;
            assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
        }
        transport
    }

    /// What lies in a queue, once it is `count` messages.
    pub(crate) async fn lying(&self, queue: &str, count: usize) -> Vec<DeadLetter> {
        bus_conformance::lying(&*self.place.transport().await, queue, count).await
    }

    /// The offset up to which a partition of `work` is done.
    pub(crate) fn committed(&self, partition: usize) -> u64 {
        self.broker.committed("work", partition)
    }

    /// The broker takes the readers of `work` for dead, and does not tell them.
    pub(crate) fn expire(&self) {
        self.broker.expire("work");
    }

    /// Lets the time pass that a revoked partition may be kept, and what then happens.
    pub(crate) async fn hand_over(&self) {
        self.clock.advance_to(self.clock.after(HANDOVER));
        quiet().await;
    }

    /// A lane that lies in the partition of that number.
    fn key(&self, number: usize) -> String {
        let mut keys = (0..).map(|key| format!("lane-{key}"));
        keys.find(|key| self.broker.partition(key) == number / 10).expect("there is one for each partition")
    }
}

/// A receiver of `work`.
pub(crate) async fn receiver(transport: &dyn Transport, prefetch: u16) -> Box<dyn Receiver> {
    transport.receive(ReceiverSettings::new("work".into(), prefetch)).await.unwrap()
}

/// The next `count` deliveries, and what they have for bodies.
pub(crate) async fn deliveries(receiver: &mut dyn Receiver, count: usize) -> (Vec<Delivery>, Vec<usize>) {
    let (mut found, mut events) = (Vec::new(), Vec::new());
    while found.len() < count {
        bus_conformance::soon("a delivery", receiver.next(count - found.len(), &mut events)).await;
        for event in events.drain(..) {
            if let Event::Delivery(delivery) = event {
                found.push(*delivery);
            }
        }
    }
    let numbers = found.iter().map(|delivery| std::str::from_utf8(&delivery.body).unwrap().parse().unwrap()).collect();
    (found, numbers)
}

/// Lets everything run that can run. The tests here have one thread, so what is ready by now is done afterwards;
/// what waits for time is not.
pub(crate) async fn quiet() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

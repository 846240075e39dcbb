use std::{sync::Arc, time::Duration};

use bus_core::{
    address::Destination,
    clock::Clock,
    topology::{Queue, TopicKind, Topology},
    transport::{
        ApplyMode, Class, Delivery, Driver, Environment, Event, Outgoing, PublishOutcome, Receiver, ReceiverSettings,
        Transport,
    },
};
use bus_inmemory::{DRIVER, EndpointOptions};
use futures_util::FutureExt;
use tokio::task::unconstrained;

pub(crate) fn open(broker: &str) -> Arc<dyn Transport> {
    open_at(broker, &Clock::real())
}

pub(crate) fn open_at(broker: &str, clock: &Clock) -> Arc<dyn Transport> {
    let mut environment = Environment::default();
    environment.clock = clock.clone();
    DRIVER.open(&format!("memory://{broker}"), environment).unwrap()
}

/// A connected transport of a broker that has these queues and bindings (exchange, queue).
pub(crate) async fn broker(name: &str, queues: &[&str], bindings: &[(&str, &str)]) -> Arc<dyn Transport> {
    broker_at(name, &Clock::real(), &topology(queues, bindings)).await
}

/// The same on another clock, with any topology.
pub(crate) async fn broker_at(name: &str, clock: &Clock, wanted: &Topology) -> Arc<dyn Transport> {
    let transport = open_at(name, clock);
    transport.connect(clock.now()).await.unwrap();
    transport.apply(wanted, ApplyMode::Create).await.unwrap();
    transport
}

/// Moves a clock that stands still.
pub(crate) fn pass(clock: &Clock, time: Duration) {
    clock.advance_to(clock.now() + time);
}

pub(crate) fn topology(queues: &[&str], bindings: &[(&str, &str)]) -> Topology {
    let mut topology = Topology::default();
    topology.queues.extend(queues.iter().map(|queue| Queue::new((*queue).into())));
    for (exchange, queue) in bindings {
        topology.topic(&(*exchange).into(), TopicKind::Fanout);
        topology.bind(&(*exchange).into(), Destination::Queue((*queue).into()), "");
    }
    topology
}

/// The same with options for each queue.
pub(crate) fn topology_with(queues: &[(&str, EndpointOptions)]) -> Topology {
    let mut topology = Topology::default();
    topology.queues.extend(queues.iter().map(|(name, options)| {
        let mut queue = Queue::new((*name).into());
        queue.extensions.insert(options.clone());
        queue
    }));
    topology
}

pub(crate) fn queue(name: &str) -> Destination {
    Destination::Queue(name.into())
}

pub(crate) fn exchange(name: &str) -> Destination {
    Destination::Topic(name.into())
}

pub(crate) fn message(to: Destination, body: &str) -> Outgoing {
    Outgoing::new(to, body.to_owned().into(), Clock::real().now())
}

pub(crate) async fn submit(transport: &dyn Transport, message: Outgoing) -> PublishOutcome {
    let publisher = transport.publisher();
    let permit = publisher.ready(message.body.len(), Class::Application).await;
    publisher.submit(permit, message).await
}

/// Sends messages that have to be confirmed.
pub(crate) async fn send(transport: &dyn Transport, to: &Destination, bodies: &[&str]) {
    for body in bodies {
        let outcome = submit(transport, message(to.clone(), body)).await;
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{to}: {outcome:?}");
    }
}

pub(crate) async fn receiver(transport: &dyn Transport, queue: &str, prefetch: u16) -> Box<dyn Receiver> {
    transport.receive(ReceiverSettings::new(queue.into(), prefetch)).await.unwrap()
}

/// Waits for what another task does; one that is never done fails the test instead of holding it up.
pub(crate) async fn done<T>(work: impl Future<Output = T>) -> T {
    let clock = Clock::real();
    let given_up = clock.now() + Duration::from_secs(60);
    clock.by(given_up, work).await.expect("it is never done")
}

/// What the receiver has now, without waiting: the broker pushes before the sender's call returns.
pub(crate) fn events(receiver: &mut dyn Receiver) -> Vec<Event> {
    let mut events = Vec::new();
    let _: Option<()> = unconstrained(receiver.next(usize::MAX, &mut events)).now_or_never();
    events
}

/// Those of [`events`] that are messages.
pub(crate) fn deliveries(receiver: &mut dyn Receiver) -> Vec<Delivery> {
    let found = events(receiver).into_iter().filter_map(|event| match event {
        Event::Delivery(delivery) => Some(*delivery),
        _ => None,
    });
    found.collect()
}

/// Bodies, with `again` behind a redelivered one.
pub(crate) fn shown<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<String> {
    let shown = deliveries.into_iter().map(|delivery| {
        let body = String::from_utf8(delivery.body.to_vec()).unwrap();
        if delivery.redelivered { format!("{body} again") } else { body }
    });
    shown.collect()
}

/// What lies in a queue: bodies.
pub(crate) async fn lying(transport: &dyn Transport, queue: &str) -> Vec<String> {
    let letters = transport.browse(queue, usize::MAX).await.unwrap();
    letters.iter().map(|letter| String::from_utf8(letter.body.to_vec()).unwrap()).collect()
}

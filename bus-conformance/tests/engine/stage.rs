use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus_conformance::{
    Fixture, Place,
    faulty::{Faults, Step, faulty, towards},
};
use bus_core::{
    Builder, Bus, Message,
    address::Destination,
    clock::Clock,
    envelope::{Envelope, HeaderValue},
    transport::{Class, DeadLetter, Driver, Moved, Outgoing, PublishOutcome},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Engine", crate = bus_core)]
pub(crate) struct Ticked {
    pub(crate) number: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Engine", crate = bus_core)]
pub(crate) struct Tocked {
    pub(crate) number: u32,
}

/// `Ticked` by name, with another payload.
pub(crate) mod elsewhere {
    #[derive(Debug, serde::Serialize, serde::Deserialize, bus_core::Message)]
    #[message(namespace = "Bus.Engine", crate = bus_core)]
    pub(crate) struct Ticked {
        pub(crate) number: String,
    }
}

/// A broker of its own, and what goes wrong with it.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) faults: Faults,
}

struct Memory(&'static dyn Driver);

impl Fixture for Memory {
    fn driver(&self) -> &'static dyn Driver {
        self.0
    }

    async fn url(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("memory://engine-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let (driver, faults) = faulty(&bus_inmemory::DRIVER);
        Self { place: Place::new(Memory(driver)).await, faults }
    }

    /// A bus, started.
    pub(crate) async fn bus(&self, configure: impl FnOnce(Builder) -> Builder) -> Bus {
        self.place.started(configure).await
    }

    /// What lies in a queue, once it is `count` messages.
    pub(crate) async fn lying(&self, queue: &str, count: usize) -> Vec<DeadLetter> {
        bus_conformance::lying(&*self.place.transport().await, queue, count).await
    }

    /// Puts a body into a queue, past the bus.
    pub(crate) async fn put(&self, queue: &str, body: &'static [u8]) {
        self.put_with_id(queue, None, body).await;
    }

    /// The same, with an id, or without.
    pub(crate) async fn put_with_id(&self, queue: &str, id: Option<&str>, body: &'static [u8]) {
        let transport = self.place.transport().await;
        let deadline = Clock::real().after(Duration::from_secs(30));
        let mut message = Outgoing::new(Destination::Queue(queue.into()), Bytes::from_static(body), deadline);
        message.message_id = id.map(Into::into);
        let permit = transport.publisher().ready(body.len(), Class::Application).await;
        let outcome = transport.publisher().submit(permit, message).await;
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    }

    /// How many messages lie in a queue now.
    pub(crate) async fn count(&self, queue: &str) -> usize {
        self.place.transport().await.browse(queue, 100).await.unwrap().len()
    }

    /// Waits until `count` deliveries of the queue were completed; the record then.
    pub(crate) async fn completed(&self, queue: &str, count: usize) -> Vec<Step> {
        let is_so = |steps: &[Step]| steps.iter().filter(|step| step.completes(queue)).count() >= count;
        self.faults.until("a completed delivery", is_so).await
    }

    /// Whether a delivery of the queue was completed.
    pub(crate) fn has_completed(&self, queue: &str) -> bool {
        self.faults.steps().iter().any(|step| step.completes(queue))
    }
}

/// Lets everything run that can run. The tests here have one thread, so what is ready by now is done
/// afterwards; what waits for time is not.
pub(crate) async fn quiet() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass on a clock that stands still, and everything run that it wakes on the way.
pub(crate) async fn pass(clock: &Clock, time: Duration) {
    let until = clock.after(time);
    quiet().await;
    while let Some(next) = clock.next_timer().filter(|next| *next < until) {
        clock.advance_to(next);
        quiet().await;
    }
    clock.advance_to(until);
    quiet().await;
}

/// The messages that were put back into a queue: their numbers, and their starts.
pub(crate) fn copies(steps: &[Step], queue: &'static str) -> Vec<(u32, u32)> {
    let submitted = steps.iter().filter_map(Step::submitted).filter(|message| towards(queue)(message));
    let copies = submitted.filter(|message| message.extensions.get::<Moved>().is_some());
    let told = copies.map(|copy| {
        let envelope = Envelope::read(&copy.body).unwrap();
        let ticked: Ticked = serde_json::from_slice(&envelope.message).unwrap();
        (ticked.number, copy.headers.get("Bus-Starts").and_then(HeaderValue::as_u32).unwrap())
    });
    told.collect()
}

/// The place in the record of the only step that is so.
pub(crate) fn only(steps: &[Step], is_so: impl Fn(&Step) -> bool) -> usize {
    let mut found = steps.iter().enumerate().filter(|(_, step)| is_so(step)).map(|(at, _)| at);
    let (Some(at), None) = (found.next(), found.next()) else { panic!("none, or several, in {steps:#?}") };
    at
}

/// The attempts of a handler, as their contexts number them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempts(Arc<Mutex<Vec<u32>>>);

impl Attempts {
    /// Notes one; how many there were before.
    pub(crate) fn note(&self, number: u32) -> usize {
        let mut attempts = self.0.lock().unwrap();
        attempts.push(number);
        attempts.len() - 1
    }

    pub(crate) fn so_far(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

/// Why the only endpoint has a problem, if it has one.
pub(crate) fn problem(bus: &Bus) -> Option<String> {
    bus.health().endpoints[0].problem.clone()
}

/// Panics when it is dropped, unless that would end the process.
#[derive(Debug)]
pub(crate) struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    Instruments, Recordings,
    activity::Activity,
    journal::{Journal, What},
    trace::trace,
    watched::WatchedTransport,
};
use crate::{
    Builder, Bus, Message,
    bus::Catalog,
    clock::Clock,
    send::{IntoAddress, Outbound},
    transport::{DeadLetter, Driver, Transport},
};

/// A bus under test, with a record of what happened on it.
///
/// It is a [`Bus`], started, and behaves as it would in a program. On a transport in memory its clock stands
/// still until [`advance`](Self::advance) moves it. All calls panic where a test would fail anyway.
///
/// ```
/// # use bus_core::{Message, testing::Harness};
/// # use serde::{Deserialize, Serialize};
/// # use std::time::Duration;
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct Submitted { number: u32 }
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct Reserve { number: u32 }
/// async fn stock_is_reserved_by_a_retry(h: &Harness) {
///     h.publish(Submitted { number: 7 }).await;
///     h.settled().await;
///     h.published::<Reserve>().none(); // the retry waits for the clock
///     h.advance(Duration::from_secs(600)).await;
///     assert_eq!(h.published::<Reserve>().one().number, 7);
///     assert_eq!(h.consumed::<Submitted>().one().attempts, 2);
///     assert!(h.dead_letters("stock").await.is_empty());
/// }
/// ```
pub struct Harness {
    bus: Bus,
    clock: Clock,
    journal: Arc<Journal>,
    transport: Arc<WatchedTransport>,
    queues: Vec<Arc<str>>,
}

/// How long, in real time, a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

impl Harness {
    /// Builds and starts a bus at `url`, where nothing else happens: a broker in memory with a name of its own,
    /// a virtual host that is the test's.
    ///
    /// # Panics
    /// If the bus cannot be built or started, with the reason.
    pub async fn on(
        driver: &'static dyn Driver,
        url: impl Into<String>,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let url = url.into();
        // Whoever knows what is on its way at any moment lives in this process, and its time can be ours.
        let in_process = {
            let environment = crate::transport::Environment::default();
            driver.open(&url, environment).is_ok_and(|transport| transport.in_flight().is_some())
        };
        let clock = if in_process { Clock::manual(0) } else { Clock::real() };
        let journal = Arc::new(Journal::new(clock.clone()));
        let activity = Activity::of(&clock);
        let slot: Arc<OnceLock<Arc<WatchedTransport>>> = Arc::default();
        let instruments = Instruments {
            observer: journal.clone(),
            wrap: Box::new({
                let slot = slot.clone();
                move |inner| slot.get_or_init(|| Arc::new(WatchedTransport::new(inner, activity))).clone()
            }),
        };
        let catalog = Catalog { drivers: vec![driver], missing: Vec::new() };
        let builder = configure(Builder::new(url, catalog)).clock(clock.clone()).instruments(instruments);
        let bus = builder.build().unwrap_or_else(|error| panic!("{error}"));
        bus.start().await.unwrap_or_else(|error| panic!("the bus under test does not start: {error}"));
        let transport = slot.get().cloned().expect("a bus that was built has a transport");
        let queues = bus.health().endpoints.iter().map(|endpoint| endpoint.name.as_str().into()).collect();
        Self { bus, clock, journal, transport, queues }
    }

    /// Publishes a message, confirmed by the broker.
    ///
    /// # Panics
    /// If it cannot be published.
    pub async fn publish<M: Message>(&self, message: M) {
        self.arrive(self.bus.publish(message)).await;
    }

    /// Sends a message to one address, such as `queue:orders`, confirmed by the broker.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub async fn send<M: Message>(&self, to: impl IntoAddress, message: M) {
        self.arrive(self.bus.send(to, message)).await;
    }

    async fn arrive<M: Message>(&self, message: Outbound<'_, M>) {
        message.await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until nothing is ready, running or unconfirmed: every message that an endpoint here can have was
    /// handled to its end, with all that followed from it. What waits for the clock (a retry's pause, a delayed
    /// message) is settled. What is not there then does not come.
    ///
    /// On a broker outside of this process, what waits for the clock is waited for, except for messages that the
    /// broker delays.
    ///
    /// # Panics
    /// After 30 s, with everything that happened.
    pub async fn settled(&self) {
        self.quiet(true).await;
    }

    /// Lets time pass. What it wakes happens in order, settling in between: retries, delayed messages,
    /// time-outs. A handler that waits for something else is waited for, unless it has a timeout.
    ///
    /// # Panics
    /// On a broker outside of this process, whose time is not ours.
    pub async fn advance(&self, time: Duration) {
        assert!(self.clock.is_manual(), "`advance` needs a broker in memory: the time of `{:?}` is its own", self.bus);
        let until = self.clock.after(time);
        loop {
            self.quiet(false).await;
            match self.clock.next_timer().filter(|next| *next <= until) {
                Some(next) => self.clock.advance_to(next),
                None => break,
            }
        }
        self.clock.advance_to(until);
        self.quiet(true).await;
    }

    async fn quiet(&self, patient: bool) {
        let real = Clock::real();
        let until = real.after(PATIENCE);
        let work = async {
            let activity = self.transport.activity();
            let in_flight = || self.transport.in_flight().unwrap_or_default();
            loop {
                activity.quiet(&self.clock, patient, in_flight).await;
                if self.transport.in_flight().is_some() {
                    return;
                }
                // Nothing is under way here; something may be on its way from the broker.
                let begun = activity.begun();
                self.transport.flush(&self.queues, until).await.unwrap_or_else(|why| panic!("{why}"));
                activity.quiet(&self.clock, patient, in_flight).await;
                if activity.begun() == begun {
                    return;
                }
            }
        };
        if real.by(until, work).await.is_err() {
            panic!(
                "not settled after {PATIENCE:?}: a handler hangs, or waits for the test. What happened:\n{}",
                self.trace()
            );
        }
    }

    /// What was published, by the test and by handlers: messages of type `M`, and those that fulfil it as a
    /// contract. A fault that was published is a `Fault<M>` here.
    pub fn published<M: Message>(&self) -> Recordings<M> {
        self.recordings(What::Published)
    }

    /// What was sent to an address.
    pub fn sent<M: Message>(&self) -> Recordings<M> {
        self.recordings(What::Sent)
    }

    /// What consumers handled with success, once for each consumer.
    pub fn consumed<M: Message>(&self) -> Recordings<M> {
        self.recordings(What::Consumed)
    }

    /// What consumers gave up on, each with its [error](super::Recorded::error).
    pub fn faulted<M: Message>(&self) -> Recordings<M> {
        self.recordings(What::Faulted)
    }

    fn recordings<M: Message>(&self, what: What) -> Recordings<M> {
        let entries = self.journal.entries().clone();
        Recordings::of(what, &entries, trace(&entries))
    }

    /// What lies in `_error` and `_skipped` of an endpoint.
    ///
    /// # Panics
    /// If the broker cannot be asked.
    pub async fn dead_letters(&self, endpoint: &str) -> Vec<DeadLetter> {
        self.bus.dead_letters(endpoint).list().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything that happened, one line each, in order and without ids and dates: for a snapshot.
    pub fn trace(&self) -> String {
        trace(&self.journal.entries())
    }

    /// The clock of the bus.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl Deref for Harness {
    type Target = Bus;

    fn deref(&self) -> &Bus {
        &self.bus
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Harness").field(&self.bus).finish()
    }
}

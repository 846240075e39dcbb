use std::{fmt, sync::Arc};

use super::{
    DeadLetters, Description, Health,
    lifecycle::Lifecycle,
    plan::{Limits, Plan},
};
use crate::{
    Error, Message,
    clock::Clock,
    extract::Scope,
    observer::Observer,
    send::{IntoAddress, Outbound, Outlet},
    transport::Transport,
};

/// A bus, built and checked; a cheap handle.
///
/// [`start`](Self::start) connects, declares and subscribes; from then on consumers run and messages can
/// be sent, until [`stop`](Self::stop). When the last handle is dropped without a stop, handlers that run
/// are cancelled and their messages go back.
///
/// ```
/// # use bus_core::{Bus, Builder, Error, Message};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct SubmitOrder {}
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Orders", crate = bus_core)]
/// # struct ShopOpened {}
/// async fn service(builder: Builder) -> Result<(), Error> {
///     let bus = builder.build()?;
///     bus.start().await?;
///     bus.publish(ShopOpened {}).await?; // to everybody who wants to know
///     bus.send("queue:orders", SubmitOrder {}).await?; // to one queue
///     bus.run().await // until Ctrl-C or SIGTERM
/// }
/// ```
#[derive(Clone)]
pub struct Bus(Arc<Lifecycle>);

impl Bus {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        scope: &Arc<Scope>,
        plan: Plan,
        limits: Limits,
        description: Description,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let outlet = Arc::new(Outlet::new(transport, clock, limits.send, observer));
        Self(Arc::new(Lifecycle::new(outlet, scope, plan, limits, description)))
    }

    /// Connects, declares the topology, subscribes. Tries until its deadline
    /// ([`start_timeout`](super::Builder::start_timeout), 30 s), then says why; may be called again. On a bus that is
    /// started it does nothing. A start whose caller goes away ends, and leaves nothing behind.
    ///
    /// # Errors
    /// - [`Error::Transport`]: nobody answers, the broker refuses who we are or what we declare. Wrong credentials fail
    ///   at once.
    /// - [`Error::StartTimeout`]: connected, and the rest took too long.
    /// - [`Error::NotStarted`]: [`stop`](Self::stop) was called meanwhile.
    pub async fn start(&self) -> Result<(), Error> {
        Lifecycle::start(&self.0).await
    }

    /// Takes no more messages, lets the handlers that run finish
    /// ([`stop_timeout`](super::Builder::stop_timeout), 30 s), returns the rest to their queues, and resolves when that
    /// is done. Handlers that are late are dropped where they wait, and their messages come again. It goes on if its
    /// caller goes away. On a bus that is not started it
    /// does nothing; a stopped bus may be started again.
    ///
    /// A handler must not await it: it would wait for itself until the deadline. Spawn it instead.
    pub async fn stop(&self) {
        Lifecycle::stop(&self.0).await;
    }

    /// Starts the bus if it is not started, waits for Ctrl-C or SIGTERM, and stops it. A second signal ends
    /// the wait for handlers.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub async fn run(&self) -> Result<(), Error> {
        let mut interrupted = Box::pin(super::lifecycle::interruption());
        tokio::select! {
            biased;
            () = &mut interrupted => {}
            // Dropped with the select, a start under way ends.
            started = self.start() => {
                started?;
                interrupted.await;
            }
        }
        tracing::info!("stopping");
        tokio::select! {
            () = self.stop() => {}
            () = super::lifecycle::interruption() => tracing::warn!("interrupted again: not waiting for handlers"),
        }
        Ok(())
    }

    /// Publishes a message: every subscriber gets a copy. Resolves when the broker has it.
    ///
    /// That nobody subscribes is no error.
    ///
    /// # Errors
    /// [`Error::NotSent`] and [`Error::Unknown`] at the deadline
    /// ([`send_timeout`](super::Builder::send_timeout), 30 s), [`Error::Rejected`], [`Error::NotStarted`], [`Error::Encode`].
    pub fn publish<M: Message>(&self, message: M) -> Outbound<'_, M> {
        Outbound::publish(self.0.outlet(), None, message)
    }

    /// Sends a message to one address: `queue:orders`, `exchange:orders`. Resolves when the broker has it.
    ///
    /// # Errors
    /// Those of [`publish`](Self::publish), [`Error::Address`], and [`Error::Unroutable`] if there is no
    /// such queue.
    ///
    /// ```
    /// # use bus_core::{Bus, Error, Message};
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme.Orders", crate = bus_core)]
    /// # struct SubmitOrder {}
    /// # async fn order(bus: &Bus) -> Result<(), Error> {
    /// match bus.send("queue:orders", SubmitOrder {}).timeout(Duration::from_secs(5)).await {
    ///     Err(Error::Unroutable { message }) => println!("nobody takes {message}"),
    ///     sent => sent?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn send<M: Message>(&self, to: impl IntoAddress, message: M) -> Outbound<'_, M> {
        Outbound::send(self.0.outlet(), None, to.into_address(), message)
    }

    /// What lies in `_error` and `_skipped` of an endpoint, here or in another service: by its name.
    pub fn dead_letters(&self, endpoint: &str) -> DeadLetters<'_> {
        DeadLetters::new(self.0.outlet(), endpoint)
    }

    /// What `build()` found that works, and may work otherwise than expected: a sentence each, which says what to do.
    /// They are logged too, at level warn, by `build()`.
    ///
    /// Three things are so far: a prefetch below the concurrency; a consumer's own concurrency above its endpoint's; and,
    /// where a broker gives each delivery away for a while only
    /// ([`Capabilities::lease`](crate::transport::Capabilities::lease)), an endpoint whose prefetch × timeout ÷
    /// concurrency is longer than that. Nothing is lost by it; messages that waited too long are delivered again.
    ///
    /// ```
    /// # use bus_core::Bus;
    /// # fn check(bus: &Bus) {
    /// assert!(bus.warnings().is_empty(), "{:#?}", bus.warnings());
    /// # }
    /// ```
    pub fn warnings(&self) -> &[String] {
        &self.0.description().warnings
    }

    /// What `build()` made of the program, after all defaults: endpoints, limits, policies, consumers, bindings. It needs
    /// no I/O and no start. There are no credentials in it.
    ///
    /// It is data, which serializes; it prints as a text for operators; and it turns into a diagram, see
    /// [`Description::to_mermaid`]. A program with an HTTP server may serve it: `Json(bus.describe())`.
    ///
    /// ```
    /// # use bus_core::{Message, Retry, bus::{Catalog, Builder}, consumer::Failure};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(namespace = "Acme", crate = bus_core)]
    /// # struct Paid {}
    /// # async fn book(_: Paid) -> Result<(), Failure> { Ok(()) }
    /// # fn doc(builder: Builder) -> Result<(), bus_core::Error> {
    /// let bus = builder.endpoint("books", |e| e.consumer(book).concurrency(10).retry(Retry::immediate(3))).build()?;
    /// let books = &bus.describe().endpoints[0];
    /// assert_eq!((books.prefetch, &*books.retry), (12, "3 times, at once"));
    /// println!("{}", bus.describe());
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&self) -> Description {
        self.0.description().clone()
    }

    /// How the connection, the topology and every endpoint are now. Asks nobody, so it can be called at any rate.
    ///
    /// ```
    /// # use bus_core::Bus;
    /// # fn check(bus: &Bus) {
    /// let health = bus.health();
    /// let status = if health.healthy { 200 } else { 503 };
    /// for endpoint in health.endpoints.iter().filter(|endpoint| endpoint.problem.is_some()) {
    ///     println!("{}: {:?}", endpoint.name, endpoint.problem);
    /// }
    /// # let _ = status;
    /// # }
    /// ```
    pub fn health(&self) -> Health {
        self.0.health()
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bus").field(&self.0.outlet().source).finish()
    }
}

use std::{fmt, sync::Arc};

use super::{
    DeadLetters, Health,
    lifecycle::Lifecycle,
    plan::{Limits, Plan},
};
use crate::{
    Error, Message,
    clock::Clock,
    extract::Scope,
    observer::Observers,
    send::{IntoAddress, Outbound, Outlet},
    transport::Transport,
};

/// A bus, built and checked; a cheap handle.
///
/// [`start`](Self::start) connects, declares and subscribes; from then on consumers run and messages can
/// be sent, until [`stop`](Self::stop). When the last handle is dropped without a stop, handlers that run
/// are cancelled, their messages go back, and the log warns.
#[derive(Clone)]
pub struct Bus(Arc<Lifecycle>);

impl Bus {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        scope: &Arc<Scope>,
        plan: Plan,
        limits: Limits,
        observers: Observers,
    ) -> Self {
        let outlet = Arc::new(Outlet::new(transport, clock, limits.send, observers));
        Self(Arc::new(Lifecycle::new(outlet, scope, plan, limits)))
    }

    /// Connects, declares the topology, subscribes. Tries until its deadline (30 s), then says why; may be
    /// called again. On a bus that is started it does nothing, unless the runtime that it was started on has ended:
    /// then it is started anew, on this one.
    ///
    /// # Errors
    /// [`Error::Transport`]: nobody answers, the broker refuses who we are or what we declare.
    pub async fn start(&self) -> Result<(), Error> {
        Lifecycle::start(&self.0).await
    }

    /// Takes no more messages, lets the handlers that run finish (30 s), returns the rest to their queues,
    /// and resolves when that is done. It goes on if its caller goes away. On a bus that is not started it
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
        tracing::info!("interrupted: the bus stops, and lets its handlers finish");
        tokio::select! {
            () = self.stop() => {}
            () = super::lifecycle::interruption() => {
                tracing::warn!("interrupted again: the handlers are not waited for, and their messages go back");
            },
        }
        Ok(())
    }

    /// Publishes a message: every subscriber gets a copy. Resolves when the broker has it.
    ///
    /// That nobody subscribes is no error.
    ///
    /// # Errors
    /// [`Error::NotSent`] and [`Error::Unknown`] at the deadline (30 s), [`Error::Rejected`],
    /// [`Error::NotStarted`], [`Error::Encode`].
    pub fn publish<M: Message>(&self, message: M) -> Outbound<'_, M> {
        Outbound::publish(self.0.outlet(), None, message)
    }

    /// Sends a message to one address: `queue:orders`, `exchange:orders`. Resolves when the broker has it.
    ///
    /// # Errors
    /// Those of [`publish`](Self::publish), [`Error::Address`], and [`Error::Unroutable`] if there is no
    /// such queue.
    pub fn send<M: Message>(&self, to: impl IntoAddress, message: M) -> Outbound<'_, M> {
        Outbound::send(self.0.outlet(), None, to.into_address(), message)
    }

    /// What lies in `_error` and `_skipped` of an endpoint.
    pub fn dead_letters(&self, endpoint: &str) -> DeadLetters<'_> {
        DeadLetters::new(self.0.outlet(), endpoint)
    }

    /// What `build()` found that works, and may work otherwise than expected: a sentence each, which says what to do.
    /// They are logged too, at level warn, by `build()`.
    ///
    /// So far one thing is: where a broker gives each delivery away for a while only
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
        self.0.warnings()
    }

    /// How the connection and every endpoint are now.
    pub fn health(&self) -> Health {
        self.0.health()
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bus").field(&self.0.outlet().source).finish()
    }
}

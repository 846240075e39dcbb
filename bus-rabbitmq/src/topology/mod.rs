//! Declaring queues, exchanges and bindings, at the start and after every reconnect.

mod declare;
mod delivery_limit;
mod ensure;
mod plan;
mod round;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus_core::{clock::Clock, topology::Topology, transport::ApplyMode};
use lapin::Connection;

pub(crate) use declare::{Refused, declare, short};
pub(crate) use delivery_limit::supposed_limit;
pub(crate) use ensure::{Need, ensure};
pub(crate) use plan::Declaration;

use crate::{
    EndpointOptions, delay,
    link::ServerVersion,
    refusal::{Kind, Refusal},
};

/// How long all the declarations of an [`Applied::apply`] may take.
const APPLY: Duration = Duration::from_secs(30);

/// A queue that is deleted stays so for a moment: every consumer of it, in other processes too, has to hear of that
/// first. One that did not is moved to the new queue without a word, and RabbitMQ 3.10 may throw away what that one
/// delivers to it.
pub(crate) const DELETING: Duration = Duration::from_millis(250);

/// How senders learn that the broker may not have the topology any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// With the connection: a broker that was killed may have lost bindings.
    Connection,
    /// An exchange was found deleted, and its bindings went with it.
    Exchange,
}

/// What was applied last. It is declared again whenever the broker may have lost it.
#[derive(Debug)]
pub(crate) struct Applied {
    clock: Clock,
    last: Mutex<Option<(Arc<Topology>, ApplyMode)>>,
    /// Of the last connection that could tell.
    server: Mutex<Option<ServerVersion>>,
    /// What the broker did not take when it was declared last.
    left_out: Mutex<Vec<String>>,
    /// The server can delay messages safely.
    delays: AtomicBool,
    /// One at a time: every endpoint of a restarted broker asks at once.
    turn: tokio::sync::Mutex<()>,
}

impl Applied {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            last: Mutex::default(),
            server: Mutex::default(),
            left_out: Mutex::default(),
            delays: AtomicBool::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// What is declared may depend on the server; an unknown version leaves what was known.
    pub(crate) fn connected_to(&self, server: Option<ServerVersion>) {
        if server.is_some() {
            *lock(&self.server) = server;
        }
    }

    pub(crate) fn server(&self) -> Option<ServerVersion> {
        lock(&self.server).clone()
    }

    /// The options of a queue that was applied; the default ones if it was not.
    pub(crate) fn options(&self, queue: &str) -> EndpointOptions {
        let last = lock(&self.last);
        let applied =
            last.as_ref().and_then(|(topology, _)| topology.queues.iter().find(|known| *known.name == *queue));
        applied.map(plan::options).unwrap_or_default()
    }

    /// It has such an exchange: a topic, or the one in front of a queue.
    pub(crate) fn has_exchange(&self, name: &str) -> bool {
        lock(&self.last).as_ref().is_some_and(|(topology, _)| {
            topology.topics.iter().any(|topic| *topic.name == *name)
                || topology.queues.iter().any(|queue| *queue.name == *name)
        })
    }

    /// Declares it, and keeps it if the broker took it. If it is refused although something was applied before,
    /// the rest of it is brought about all the same: what a running bus lost comes back. To be run where it is
    /// polled whatever its caller does: others wait for their turn.
    pub(crate) async fn apply(
        &self,
        connection: &Connection,
        topology: &Topology,
        mode: ApplyMode,
    ) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let server = self.server();
        let declared = async {
            if mode == ApplyMode::Create && !self.delays.load(Ordering::Relaxed) {
                if let Some((entity, refusal)) = delay::refused(connection, topology, server.as_ref()).await {
                    return Err(Refused::of(entity, refusal));
                }
                self.delays.store(topology.queues.iter().any(|queue| queue.redelivers), Ordering::Relaxed);
            }
            declare(connection, topology, mode, server.as_ref()).await
        };
        match self.clock.by(self.clock.now() + APPLY, declared).await {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => {
                let runs = mode == ApplyMode::Create && lock(&self.last).is_some();
                if runs && refused.refusal.is_answer() {
                    // A connection that is lost meanwhile is declared on again when it is back.
                    if let Ok(left_out) = round::round(&self.clock, connection, topology, server.as_ref()).await {
                        *lock(&self.left_out) = left_out;
                    }
                }
                return Err(refused);
            }
            Err(_) => {
                let words = format!("no answer within {} s", APPLY.as_secs());
                return Err(Refused::unanswered(Refusal::new(Kind::Channel, words)));
            }
        }
        *lock(&self.last) = Some((Arc::new(topology.clone()), mode));
        lock(&self.left_out).clear();
        Ok(())
    }

    /// Declares again what was applied last. That the broker has some of it differently now does not stop the
    /// rest: only a lost connection is an error.
    pub(crate) async fn again(&self, connection: &Connection) -> Result<(), Refusal> {
        self.declare_again(connection, None).await
    }

    /// The same for the consumer of one queue, without the queues of the others, who declare them when theirs are
    /// cancelled. A queue that is deleted and there again before its consumers are cancelled looks to the broker like
    /// one that failed over: it moves them to the new one without a word, and RabbitMQ 3.10 throws away what that one,
    /// if it is a quorum queue, delivers to them.
    pub(crate) async fn again_for(&self, queue: &str, connection: &Connection) -> Result<(), Refusal> {
        self.declare_again(connection, Some(queue)).await
    }

    async fn declare_again(&self, connection: &Connection, only: Option<&str>) -> Result<(), Refusal> {
        let _turn = self.turn.lock().await;
        let last = lock(&self.last).clone();
        let Some((topology, ApplyMode::Create)) = last else { return Ok(()) };
        let (server, mut others) = (self.server(), Vec::new());
        let mut plan = plan::plan(&topology, server.as_ref());
        if let Some(queue) = only {
            let of_another = |declaration: &mut Declaration| declaration.is_of_another(queue, &topology);
            plan.iter_mut().for_each(|group| others.extend(group.extract_if(.., of_another)));
        }
        let mut left_out = round::planned(&self.clock, connection, &topology, plan, server.as_ref()).await?;
        let before = {
            let mut known = lock(&self.left_out);
            // Nothing new is known of the others.
            let of_others = |error: &&String| others.iter().any(|other| error.starts_with(&format!("{other}: ")));
            left_out.extend(known.iter().filter(of_others).cloned());
            std::mem::replace(&mut *known, left_out.clone())
        };
        // Endpoints that cannot subscribe ask for it again and again.
        for error in left_out.iter().filter(|error| !before.contains(error)) {
            tracing::error!(error, "the broker has a part of the topology otherwise, and does not take ours");
        }
        if left_out.is_empty() && !before.is_empty() {
            tracing::info!("the topology is declared again, all of it");
        }
        Ok(())
    }

    /// The same on the connection that publishes, before its next message: what is published while bindings are lost
    /// reaches nobody. Without the queues that belong to the connection of their receivers. As far as it goes: the
    /// receivers declare it all again too. It does not wait for its turn: what holds up one of those would have it time
    /// out.
    pub(crate) async fn again_for_senders(&self, connection: &Connection, lost: Lost) {
        let last = lock(&self.last).clone();
        let Some((topology, ApplyMode::Create)) = last else { return };
        let mut shared = Topology::clone(&topology);
        let own = |name: &str| {
            topology.queues.iter().any(|queue| *queue.name == *name && plan::options(queue).is_exclusive())
        };
        shared.queues.retain(|queue| !own(&queue.name));
        // Their exchanges went with them, unless that connection stands.
        shared.bindings.retain(|binding| lost == Lost::Exchange || !own(binding.destination.name()));
        let server = self.server();
        let mut bare = plan::plan(&shared, server.as_ref());
        // Their consumers declare them: see `again_for`.
        bare.iter_mut().for_each(|group| group.retain(|made| !matches!(made, Declaration::Queue { .. })));
        let declared = match round::each(&self.clock, connection, bare).await {
            Ok(refused) if lost == Lost::Connection && refused.iter().any(|(_, why)| why.is_missing_queue()) => {
                self.clock.sleep(DELETING).await;
                round::round(&self.clock, connection, &shared, server.as_ref()).await.map(drop)
            }
            declared => declared.map(drop),
        };
        if let Err(refusal) = declared {
            tracing::debug!(error = %refusal, "the topology could not be declared again before publishing");
        }
    }

    /// What the broker did not take, in words; none if nothing.
    pub(crate) fn left_out(&self) -> Option<String> {
        let left_out = lock(&self.left_out);
        (!left_out.is_empty()).then(|| left_out.join("; "))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

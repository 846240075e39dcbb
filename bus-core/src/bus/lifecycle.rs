use std::{
    future::Future,
    sync::{Arc, Mutex as Slot, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, oneshot, watch},
    task::JoinHandle,
};

use super::{
    Description, EndpointHealth, Health,
    plan::{Limits, Plan, PlannedEndpoint},
    rounds::{Problem, rounds},
};
use crate::{
    Error,
    consumer::EndpointContext,
    endpoint::{self, Dispatcher, Running, Status},
    extract::Scope,
    observer::Event,
    send::Outlet,
    topology::Topology,
    transport::{ApplyMode, ReceiverSettings},
};

/// The states of a bus and the steps between them, one at a time.
pub(super) struct Lifecycle {
    outlet: Arc<Outlet>,
    topology: Topology,
    endpoints: Vec<Prepared>,
    description: Description,
    limits: Limits,
    /// Held through a start or stop, so that they follow one another.
    active: Mutex<Option<Vec<Running>>>,
    /// Counts the stops; each ends the starts that were called before it.
    stops: watch::Sender<u64>,
    /// Why the last topology round failed.
    topology_problem: Problem,
    /// Ends the topology rounds when the bus is dropped.
    rounds: Slot<Option<JoinHandle<()>>>,
}

/// An endpoint that can be started any number of times.
struct Prepared {
    dispatcher: Arc<Dispatcher>,
    status: Arc<Status>,
    settings: ReceiverSettings,
    concurrency: u16,
}

/// How long the last settlements may take to reach the broker.
const GRACE: Duration = Duration::from_secs(1);

impl Lifecycle {
    pub(super) fn new(
        outlet: Arc<Outlet>,
        scope: &Arc<Scope>,
        plan: Plan,
        limits: Limits,
        description: Description,
    ) -> Self {
        let prepare = |planned: PlannedEndpoint| {
            let settings = planned.settings();
            let PlannedEndpoint { name, concurrency, raw_json, max_body, redelivery, consumers, .. } = planned;
            let pipelines = consumers.into_iter().flat_map(|consumer| consumer.pipelines).collect();
            let status = Arc::new(Status::new(name.clone(), outlet.clock.clone(), outlet.observers.clone()));
            let context = Arc::new(EndpointContext {
                address: outlet.transport().input_address(&settings).into(),
                name,
                raw_json,
                max_body,
                redelivery,
                outlet: outlet.clone(),
                status: status.clone(),
                scope: scope.clone(),
            });
            let dispatcher = Arc::new(Dispatcher::new(context, pipelines));
            Prepared { dispatcher, status, settings, concurrency }
        };
        Self {
            topology: plan.topology,
            description,
            endpoints: plan.endpoints.into_iter().map(prepare).collect(),
            outlet,
            limits,
            active: Mutex::new(None),
            stops: watch::Sender::default(),
            topology_problem: Arc::default(),
            rounds: Slot::new(None),
        }
    }

    pub(super) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    /// In a task of its own: a caller that goes away leaves no half-started bus behind.
    pub(super) async fn start(this: &Arc<Self>) -> Result<(), Error> {
        let (mut answer, answered) = oneshot::channel();
        let mut stops = this.stops.subscribe();
        let this = this.clone();
        tokio::spawn(async move {
            let mut active = this.active.lock().await;
            if active.as_ref().is_some_and(|running| !running.iter().any(Running::has_ended)) {
                let _ = answer.send(Ok(()));
                return;
            }
            // Of what ended by itself nothing is to be left over.
            this.take_down(&mut active).await;
            let started = tokio::select! {
                biased;
                () = answer.closed() => None,
                // A stop does not wait for a start that cannot get on.
                _ = stops.changed() => None,
                started = this.bring_up() => Some(started),
            };
            match started {
                Some(Ok(endpoints)) => {
                    *active = Some(endpoints);
                    tracing::info!(
                        endpoints = this.endpoints.len(),
                        address = &*this.outlet.source,
                        "the bus is started"
                    );
                    this.outlet.observers.tell(|| Event::BusStarted {});
                    if answer.send(Ok(())).is_err() {
                        this.take_down(&mut active).await;
                    }
                }
                Some(Err(error)) => {
                    this.close(this.outlet.clock.now()).await;
                    tracing::debug!(error = chain(&error), "the bus could not be started: the caller is told");
                    this.outlet.observers.tell(|| Event::BusStartFailed { error: &error });
                    // Whoever called may be gone.
                    let _ = answer.send(Err(error));
                }
                None => {
                    this.close(this.outlet.clock.now()).await;
                    tracing::debug!("a start was given up: the bus was stopped, or its caller went away");
                    this.outlet.observers.tell(|| Event::BusStartFailed { error: &Error::NotStarted });
                }
            }
        });
        // The task ends without an answer only if the runtime does.
        answered.await.unwrap_or(Err(Error::NotStarted))
    }

    async fn bring_up(&self) -> Result<Vec<Running>, Error> {
        let clock = &self.outlet.clock;
        let deadline = clock.after(self.limits.start);
        self.outlet.transport().connect(deadline).await?;
        let endpoints = clock.by(deadline, self.subscribe()).await.map_err(|_| Error::StartTimeout)??;
        *self.rounds() = Some(self.topology_rounds());
        Ok(endpoints)
    }

    /// Declares everything, then receives; all endpoints or none.
    async fn subscribe(&self) -> Result<Vec<Running>, Error> {
        let transport = self.outlet.transport();
        transport.apply(&self.topology, ApplyMode::Create).await?;
        // What a round complained of before is over.
        *self.topology_problem.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut receivers = Vec::with_capacity(self.endpoints.len());
        for endpoint in &self.endpoints {
            receivers.push(transport.receive(endpoint.settings.clone()).await?);
        }
        // A handler may send as soon as it runs.
        self.outlet.set_open(true);
        let running = self.endpoints.iter().zip(receivers).map(|(endpoint, receiver)| {
            let Prepared { dispatcher, status, settings, concurrency } = endpoint;
            endpoint::start(receiver, dispatcher.clone(), status.clone(), *concurrency, settings.prefetch)
        });
        Ok(running.collect())
    }

    fn topology_rounds(&self) -> JoinHandle<()> {
        let (topology, problem) = (self.topology.clone(), self.topology_problem.clone());
        let statuses = self.endpoints.iter().map(|endpoint| endpoint.status.clone()).collect();
        tokio::spawn(rounds(self.outlet.clone(), topology, problem, self.limits.round, statuses))
    }

    /// In a task of its own: a caller that goes away must not leave messages half returned.
    pub(super) async fn stop(this: &Arc<Self>) {
        let this = this.clone();
        this.stops.send_modify(|stops| *stops += 1);
        let stopping = tokio::spawn(async move {
            let mut active = this.active.lock().await;
            this.take_down(&mut active).await;
        });
        // It fails only if the runtime ends, and then so does the process.
        let _ = stopping.await;
    }

    async fn take_down(&self, active: &mut Option<Vec<Running>>) {
        let Some(endpoints) = active.take() else { return };
        let deadline = self.outlet.clock.after(self.limits.stop);
        let stopping: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.stop(deadline)).collect();
        // Handlers can send until here.
        futures_util::future::join_all(stopping).await;
        for endpoint in &self.endpoints {
            // One that ended by itself did not say so.
            endpoint.status.off();
        }
        self.close(deadline).await;
        tracing::info!("the bus is stopped");
        self.outlet.observers.tell(|| Event::BusStopped {});
    }

    /// Even with no time left the broker is told what was settled.
    async fn close(&self, deadline: Instant) {
        self.end_rounds();
        self.outlet.set_open(false);
        self.outlet.transport().close(deadline.max(self.outlet.clock.after(GRACE))).await;
    }

    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    pub(super) fn health(&self) -> Health {
        let connection = match self.outlet.is_open() {
            true => self.outlet.transport().health().err(),
            false => Some("the bus is not started".to_owned()),
        };
        let endpoints: Vec<_> = self
            .endpoints
            .iter()
            .map(|endpoint| EndpointHealth {
                name: endpoint.settings.queue.to_string(),
                problem: endpoint.status.problem(),
            })
            .collect();
        let topology = self.topology_problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let healthy =
            connection.is_none() && topology.is_none() && endpoints.iter().all(|endpoint| endpoint.problem.is_none());
        Health { healthy, connection, topology, endpoints }
    }

    fn rounds(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_rounds(&self) {
        if let Some(rounds) = self.rounds().take() {
            rounds.abort();
        }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.end_rounds();
        if let Some(endpoints) = self.active.get_mut() {
            tracing::warn!(
                messages = endpoints.iter().map(Running::at_work).sum::<usize>(),
                "the last handle of a started bus was dropped without `stop()`: its handlers are cancelled, and their \
                 messages go back to their queues"
            );
        }
    }
}

/// The error, and what is behind it.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

/// Ctrl-C or, on Unix, SIGTERM; listened to from this call on, not from the first poll.
#[cfg(unix)]
pub(super) fn interruption() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [interrupt, terminate] = signals.map(|listening| async {
            match listening {
                Ok(mut signal) => drop(signal.recv().await),
                // Without a handler there is nothing to wait for here.
                Err(_) => std::future::pending().await,
            }
        });
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) async fn interruption() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

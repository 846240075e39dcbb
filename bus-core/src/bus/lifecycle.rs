use std::{
    sync::{Arc, Mutex as Slot, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::JoinHandle};

use super::{
    EndpointHealth, Health,
    plan::{Limits, Plan, PlannedEndpoint},
};
use crate::{
    Error,
    address::Destination,
    consumer::EndpointContext,
    endpoint::{self, Dispatcher, Running, Status},
    extract::Scope,
    send::Outlet,
    topology::Topology,
    transport::{ApplyMode, ReceiverSettings},
};

/// The states of a bus and the steps between them, one at a time.
pub(super) struct Lifecycle {
    outlet: Arc<Outlet>,
    topology: Topology,
    endpoints: Vec<Prepared>,
    limits: Limits,
    /// Held through a start or stop, so that they follow one another.
    active: Mutex<Option<Active>>,
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

/// What runs while the bus is started.
struct Active {
    endpoints: Vec<Running>,
}

/// How often the topology is brought about again: a binding that was deleted cannot be seen otherwise.
const ROUND: Duration = Duration::from_secs(60);

impl Lifecycle {
    pub(super) fn new(outlet: Arc<Outlet>, scope: &Arc<Scope>, plan: Plan, limits: Limits) -> Self {
        let prepare = |planned: PlannedEndpoint| {
            let PlannedEndpoint { name, prefetch, concurrency, extensions, pipelines } = planned;
            let context = Arc::new(EndpointContext {
                address: input_address(&outlet, &name),
                name: name.clone(),
                outlet: outlet.clone(),
                scope: scope.clone(),
            });
            let mut settings = ReceiverSettings::new(name, prefetch);
            settings.extensions = extensions;
            let dispatcher = Arc::new(Dispatcher::new(context, pipelines));
            Prepared { dispatcher, status: Arc::default(), settings, concurrency }
        };
        Self {
            topology: plan.topology,
            endpoints: plan.endpoints.into_iter().map(prepare).collect(),
            outlet,
            limits,
            active: Mutex::new(None),
            rounds: Slot::new(None),
        }
    }

    pub(super) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    pub(super) async fn start(&self) -> Result<(), Error> {
        let mut active = self.active.lock().await;
        if active.is_some() {
            return Ok(());
        }
        let transport = self.outlet.transport();
        let deadline = self.outlet.clock.now() + self.limits.start;
        transport.connect(deadline).await?;
        let started = self.subscribe().await;
        match started {
            Ok(endpoints) => {
                self.outlet.set_open(true);
                *self.rounds() = Some(self.topology_rounds());
                *active = Some(Active { endpoints });
                tracing::info!(endpoints = self.endpoints.len(), "the bus is started");
                Ok(())
            }
            Err(error) => {
                transport.close(self.outlet.clock.now()).await;
                Err(error)
            }
        }
    }

    /// Declares everything, then receives; all endpoints or none.
    async fn subscribe(&self) -> Result<Vec<Running>, Error> {
        let transport = self.outlet.transport();
        transport.apply(&self.topology, ApplyMode::Create).await?;
        let mut receivers = Vec::with_capacity(self.endpoints.len());
        for endpoint in &self.endpoints {
            receivers.push(transport.receive(endpoint.settings.clone()).await?);
        }
        // A handler may send as soon as it runs.
        self.outlet.set_open(true);
        let running = self.endpoints.iter().zip(receivers).map(|(endpoint, receiver)| {
            endpoint::start(receiver, endpoint.dispatcher.clone(), endpoint.status.clone(), endpoint.concurrency)
        });
        Ok(running.collect())
    }

    fn topology_rounds(&self) -> JoinHandle<()> {
        let (outlet, topology) = (self.outlet.clone(), self.topology.clone());
        tokio::spawn(async move {
            loop {
                outlet.clock.sleep(ROUND).await;
                if let Err(error) = outlet.transport().apply(&topology, ApplyMode::Create).await {
                    tracing::warn!(%error, "the topology could not be brought about again; trying in a minute");
                }
            }
        })
    }

    pub(super) async fn stop(this: &Arc<Self>) {
        let this = this.clone();
        // In a task of its own: a caller that goes away must not leave messages half returned.
        let stopping = tokio::spawn(async move {
            let mut active = this.active.lock().await;
            let Some(Active { endpoints }) = active.take() else { return };
            let deadline = this.outlet.clock.now() + this.limits.stop;
            this.end_rounds();
            let stopping: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.stop(deadline)).collect();
            futures_util::future::join_all(stopping).await;
            // Handlers could send until here.
            this.outlet.set_open(false);
            this.outlet.transport().close(deadline.max(grace(&this.outlet))).await;
            tracing::info!("the bus is stopped");
        });
        // It fails only if the runtime ends, and then so does the process.
        let _ = stopping.await;
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
        let healthy = connection.is_none() && endpoints.iter().all(|endpoint| endpoint.problem.is_none());
        Health { healthy, connection, endpoints }
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
    }
}

/// A stop with no time left still tells the broker what was settled.
fn grace(outlet: &Outlet) -> Instant {
    outlet.clock.now() + Duration::from_secs(1)
}

fn input_address(outlet: &Outlet, name: &Arc<str>) -> Arc<str> {
    // An endpoint's address is that of its exchange: MassTransit writes it without `bind`.
    outlet.transport().absolute(&Destination::Topic(name.clone())).into()
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
pub(super) async fn interrupted() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler there is nothing to wait for here.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return ctrl_c.await };
        tokio::select! {
            () = ctrl_c => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    ctrl_c.await;
}

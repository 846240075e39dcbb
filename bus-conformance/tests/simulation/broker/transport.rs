use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use bus_core::{
    address::{Address, AddressError, Destination},
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, DeadLetter, Publisher, Receiver, ReceiverSettings, Transport, TransportError,
    },
};

use super::{publisher::SimulatedPublisher, receiver::SimulatedReceiver};
use crate::world::World;

/// The connection of one process.
#[derive(Debug)]
pub(super) struct SimulatedTransport {
    inner: Arc<dyn Transport>,
    publisher: Arc<SimulatedPublisher>,
    world: Arc<World>,
    process: usize,
}

impl SimulatedTransport {
    pub(super) fn new(inner: Arc<dyn Transport>, world: Arc<World>, process: usize) -> Self {
        let publisher = Arc::new(SimulatedPublisher::new(inner.publisher(), world.clone(), process));
        Self { inner, publisher, world, process }
    }

    /// Waits for the broker, if chance has it so.
    async fn reach(&self) -> Result<(), TransportError> {
        self.world.delay(self.process).await;
        if self.world.is_alive(self.process) && !self.world.is_away(self.process) {
            return Ok(());
        }
        Err(TransportError::Disconnected { address: self.source_address(), source: "a simulated outage".into() })
    }
}

#[async_trait]
impl Transport for SimulatedTransport {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        self.inner.resolve(address)
    }

    fn absolute(&self, destination: &Destination) -> String {
        self.inner.absolute(destination)
    }

    fn source_address(&self) -> String {
        self.inner.source_address()
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        self.inner.check_name(name)
    }

    async fn connect(&self, deadline: Instant) -> Result<(), TransportError> {
        self.reach().await?;
        self.inner.connect(deadline).await
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        self.reach().await?;
        self.inner.apply(topology, mode).await
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        self.reach().await?;
        let stations = &self.world.scenario.stations;
        let station = stations.iter().position(|station| station.name == settings.queue).expect("one of ours");
        let inner = self.inner.receive(settings.clone()).await?;
        let (transport, world) = (self.inner.clone(), self.world.clone());
        Ok(Box::new(SimulatedReceiver::new(transport, settings, inner, world, (self.process, station))))
    }

    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.inner.browse(queue, max).await
    }

    fn health(&self) -> Result<(), String> {
        if self.world.is_away(self.process) { Err("a simulated outage".to_owned()) } else { self.inner.health() }
    }

    fn in_flight(&self) -> Option<usize> {
        self.inner.in_flight()
    }

    async fn close(&self, deadline: Instant) {
        if self.world.is_alive(self.process) {
            // What is under way arrives; what was lost is lost.
            self.world.pay_all(self.process);
            self.world.empty_limbo(Some(self.process));
        }
        self.inner.close(deadline).await;
    }
}

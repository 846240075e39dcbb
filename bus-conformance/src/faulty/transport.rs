use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use bus_core::{
    address::{Address, AddressError, Destination},
    clock::Clock,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, DeadLetter, Publisher, Receiver, ReceiverSettings, Transport, TransportError,
    },
};

use super::{Faults, Flaw, Step, publisher::FaultyPublisher, receiver::FaultyReceiver};

/// A transport around another one.
#[derive(Debug)]
pub(super) struct FaultyTransport {
    inner: Arc<dyn Transport>,
    publisher: Arc<FaultyPublisher>,
    faults: Faults,
    clock: Clock,
    closed: AtomicBool,
}

impl FaultyTransport {
    pub(super) fn new(inner: Arc<dyn Transport>, faults: Faults, clock: Clock) -> Self {
        let publisher = Arc::new(FaultyPublisher::new(inner.publisher(), faults.clone()));
        Self { inner, publisher, faults, clock, closed: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Transport for FaultyTransport {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.lease = self.faults.claimed_lease().or(capabilities.lease);
        capabilities
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

    fn check_routing_key(&self, key: &str) -> Result<(), String> {
        self.inner.check_routing_key(key)
    }

    fn check_endpoint(&self, settings: &ReceiverSettings) -> Vec<String> {
        self.inner.check_endpoint(settings)
    }

    fn keeps_order(&self, settings: &ReceiverSettings) -> bool {
        self.inner.keeps_order(settings)
    }

    fn describe_endpoint(&self, settings: &ReceiverSettings) -> Vec<(String, String)> {
        self.inner.describe_endpoint(settings)
    }

    fn input_address(&self, settings: &ReceiverSettings) -> String {
        self.inner.input_address(settings)
    }

    async fn connect(&self, deadline: Instant) -> Result<(), TransportError> {
        self.faults.note(Step::Connecting);
        let unreachable =
            |why: &str| Err(TransportError::Unreachable { address: self.source_address(), source: why.into() });
        if self.faults.hangs_connecting() {
            self.clock.sleep_until(deadline).await;
            return unreachable("a scripted silence");
        }
        if self.faults.has(Flaw::ClosesForGood) && self.closed.load(Ordering::SeqCst) {
            return unreachable("closed for good");
        }
        self.inner.connect(deadline).await
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        self.faults.note(Step::Applying);
        if self.faults.hangs_applying() {
            std::future::pending::<()>().await;
        }
        if let Some(why) = self.faults.is_away() {
            return Err(TransportError::Disconnected { address: self.source_address(), source: why.into() });
        }
        let mut topology = topology.clone();
        if self.faults.has(Flaw::IgnoresRoutingKeys) {
            for binding in topology.bindings.iter_mut().filter(|binding| !binding.routing_key.is_empty()) {
                binding.routing_key = "#".into();
            }
        }
        self.inner.apply(&topology, mode).await
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn receive(&self, mut settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        let queue = settings.queue.clone();
        if self.faults.has(Flaw::IgnoresPrefetch) {
            settings.prefetch = u16::MAX;
        }
        let mut skip = 0;
        if self.faults.has(Flaw::SkipsBacklog) {
            skip = self.inner.browse(&queue, usize::MAX).await?.len();
        }
        let inner = self.inner.receive(settings).await?;
        Ok(Box::new(FaultyReceiver::new(inner, self.faults.clone(), queue, skip)))
    }

    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.inner.browse(queue, max).await
    }

    fn health(&self) -> Result<(), String> {
        if self.faults.has(Flaw::HidesTrouble) {
            return Ok(());
        }
        self.faults.is_away().map_or_else(|| self.inner.health(), Err)
    }

    async fn close(&self, deadline: Instant) {
        self.inner.close(deadline).await;
        self.closed.store(true, Ordering::SeqCst);
        if self.faults.has(Flaw::ClosesLate) {
            self.clock.sleep_until(deadline).await;
        }
    }
}

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use bus_core::{
    address::{Address, AddressError, Destination},
    clock::Clock,
    naming::check_entity_name,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, DeadLetter, Publisher, Receiver, ReceiverSettings, Transport, TransportError,
    },
};

use crate::{
    address::{self, SCHEME},
    broker::{Broker, DELAY_MAX, Undeclared},
    endpoint::{EndpointOptions, conflicts},
    in_flight::InFlight,
    publisher::MemoryPublisher,
    receiver::MemoryReceiver,
    subscription::Subscription,
};

/// One program's connection to a broker. It can be connected again after it was closed.
#[derive(Debug)]
pub(crate) struct MemoryTransport {
    /// Another one for each transport of the process.
    number: u64,
    broker: Arc<Broker>,
    clock: Clock,
    publisher: Arc<MemoryPublisher>,
    /// What ends with the connection.
    subscriptions: Mutex<Vec<Weak<Subscription>>>,
    /// What its receivers have in their buffers.
    in_flight: Arc<InFlight>,
    source: String,
}

impl MemoryTransport {
    pub(crate) fn new(broker: Arc<Broker>, clock: Clock) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            publisher: Arc::new(MemoryPublisher::new(&broker, clock.clone())),
            subscriptions: Mutex::default(),
            in_flight: Arc::default(),
            source: address::source(broker.name()),
            broker,
            clock,
        }
    }

    fn url(&self) -> String {
        format!("{SCHEME}://{}", self.broker.name())
    }

    fn connected(&self) -> Result<(), TransportError> {
        if self.publisher.is_connected() {
            return Ok(());
        }
        Err(TransportError::Disconnected { address: self.url(), source: "not connected".into() })
    }

    fn subscriptions(&self) -> MutexGuard<'_, Vec<Weak<Subscription>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disconnect(&self) {
        let ended = {
            // Under the lock, so that a subscription made at the same time is either in the list or refused.
            let mut subscriptions = self.subscriptions();
            self.publisher.connect(false);
            std::mem::take(&mut *subscriptions)
        };
        for subscription in ended.iter().filter_map(Weak::upgrade) {
            subscription.end();
        }
        self.broker.closed(self.number);
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.disconnect();
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn capabilities(&self) -> Capabilities {
        // Copy and completion are two steps. A lease is each queue's own, and its deliveries tell it. A body may
        // have any size.
        let mut capabilities = Capabilities::default();
        capabilities.delay_max = Some(DELAY_MAX);
        capabilities.individual_settlement = true;
        capabilities.sessions = true;
        capabilities.ordered_handover = true;
        (capabilities.ordered, capabilities.routing_keys) = (self.broker.ordered(), true);
        capabilities
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        address::resolve(address)
    }

    fn absolute(&self, destination: &Destination) -> String {
        address::absolute(self.broker.name(), destination)
    }

    fn source_address(&self) -> String {
        self.source.clone()
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        check_entity_name(name)
    }

    fn check_endpoint(&self, settings: &ReceiverSettings) -> Vec<String> {
        let options = settings.extensions.get::<EndpointOptions>();
        options.map(|options| conflicts(&settings.queue, options)).unwrap_or_default()
    }

    fn keeps_order(&self, settings: &ReceiverSettings) -> bool {
        settings.extensions.get::<EndpointOptions>().is_some_and(|options| options.lanes)
    }

    fn describe_endpoint(&self, settings: &ReceiverSettings) -> Vec<(String, String)> {
        settings.extensions.get().map(EndpointOptions::described).unwrap_or_default()
    }

    async fn connect(&self, _: Instant) -> Result<(), TransportError> {
        self.broker.connected(self.number);
        self.publisher.connect(true);
        Ok(())
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        self.connected()?;
        self.broker.apply(topology, mode).map_err(|Undeclared { entity, reason }| TransportError::Topology {
            address: self.url(),
            entity,
            source: reason.into(),
        })
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        let queue = self.broker.queue(&settings.queue);
        let mut subscriptions = self.subscriptions();
        self.connected()?;
        let Some(queue) = queue else {
            return Err(TransportError::Refused {
                address: self.url(),
                action: format!("receiving from queue `{}`", settings.queue),
                source: "the queue does not exist".into(),
            });
        };
        let subscription =
            Arc::new(Subscription::new(queue, settings.prefetch, self.in_flight.clone(), self.clock.clone()));
        subscriptions.retain(|other| other.strong_count() > 0);
        subscriptions.push(Arc::downgrade(&subscription));
        Ok(Box::new(MemoryReceiver::new(subscription)))
    }

    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.connected()?;
        let messages = self.broker.queue(queue).map(|queue| queue.browse(max, &self.clock)).unwrap_or_default();
        let found = messages.into_iter().map(|message| {
            let id = message.message_id.as_deref().map(str::to_owned);
            DeadLetter::new(queue.to_owned(), id, message.body.clone(), message.headers.clone())
        });
        Ok(found.collect())
    }

    fn health(&self) -> Result<(), String> {
        self.connected().map_err(|error| error.to_string())
    }

    fn in_flight(&self) -> Option<usize> {
        Some(self.in_flight.count())
    }

    async fn close(&self, _: Instant) {
        self.disconnect();
    }
}

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use async_trait::async_trait;
use bus_core::{
    address::{Address, AddressError, Destination},
    clock::Clock,
    message::TopicKind,
    naming::check_entity_name,
    topology::Topology,
    transport::{
        ApplyMode, Capabilities, DeadLetter, Publisher, Receiver, ReceiverSettings, Transport, TransportError,
    },
};
use uuid::Uuid;

use super::{
    address::{self, URL},
    publisher::LogPublisher,
    receiver::LogReceiver,
    subscription::{Subscription, is_expired},
};
use crate::broker::Broker;

/// One program's connection to the log.
#[derive(Debug)]
pub(super) struct LogTransport {
    broker: Arc<Broker>,
    clock: Clock,
    publisher: Arc<LogPublisher>,
    /// What ends with the connection.
    subscriptions: Mutex<Vec<Weak<Subscription>>>,
}

impl LogTransport {
    pub(super) fn new(broker: Arc<Broker>, clock: Clock) -> Self {
        let publisher = Arc::new(LogPublisher::new(broker.clone(), clock.clone()));
        Self { broker, clock, publisher, subscriptions: Mutex::default() }
    }

    fn connected(&self) -> Result<(), TransportError> {
        if self.publisher.is_connected() {
            return Ok(());
        }
        Err(TransportError::Disconnected { address: URL.to_owned(), source: "not connected".into() })
    }

    fn subscriptions(&self) -> MutexGuard<'_, Vec<Weak<Subscription>>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disconnect(&self) {
        self.publisher.connect(false);
        for subscription in self.subscriptions().drain(..).filter_map(|subscription| subscription.upgrade()) {
            subscription.end();
        }
    }
}

impl Drop for LogTransport {
    fn drop(&mut self) {
        self.disconnect();
    }
}

#[async_trait]
impl Transport for LogTransport {
    /// Every message is in a lane. Nothing else is to be had: no move in one step, no delay, no lease, no order
    /// across a queue, no competing for its messages one by one.
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        (capabilities.sessions, capabilities.ordered_handover) = (true, true);
        capabilities
    }

    fn resolve(&self, address: &Address) -> Result<Destination, AddressError> {
        address::resolve(address)
    }

    fn absolute(&self, destination: &Destination) -> String {
        address::absolute(destination)
    }

    fn source_address(&self) -> String {
        format!("{URL}/topic/process-{}", Uuid::now_v7())
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        check_entity_name(name)
    }

    fn keeps_order(&self, _: &ReceiverSettings) -> bool {
        true
    }

    async fn connect(&self, _: Instant) -> Result<(), TransportError> {
        self.publisher.connect(true);
        Ok(())
    }

    async fn apply(&self, topology: &Topology, mode: ApplyMode) -> Result<(), TransportError> {
        self.connected()?;
        let refused = |entity: String, reason: &str| {
            Err(TransportError::Topology { address: URL.to_owned(), entity, source: reason.into() })
        };
        if let Some(topic) = topology.topics.iter().find(|topic| topic.kind != TopicKind::Fanout) {
            return refused(format!("topic `{}`", topic.name), "a log has no routing keys");
        }
        match mode {
            ApplyMode::Create => self.broker.apply(topology),
            ApplyMode::Validate => {
                let queues = topology.queues.iter().map(|queue| Destination::Queue(queue.name.clone()));
                let topics = topology.topics.iter().map(|topic| Destination::Topic(topic.name.clone()));
                if let Some(missing) = queues.chain(topics).find(|entity| !self.broker.has(entity)) {
                    return refused(missing.to_string(), "it does not exist");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publisher.clone()
    }

    async fn receive(&self, settings: ReceiverSettings) -> Result<Box<dyn Receiver>, TransportError> {
        self.connected()?;
        let ReceiverSettings { queue, prefetch, .. } = settings;
        let action = format!("receiving from queue `{queue}`");
        let subscription = Subscription::join(self.broker.clone(), queue, prefetch, self.clock.clone());
        let subscription = Arc::new(subscription.ok_or_else(|| TransportError::Refused {
            address: URL.to_owned(),
            action,
            source: "the queue does not exist".into(),
        })?);
        self.subscriptions().push(Arc::downgrade(&subscription));
        Ok(Box::new(LogReceiver::new(subscription)))
    }

    /// What the queue's group has not committed.
    async fn browse(&self, queue: &str, max: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.connected()?;
        let records = self.broker.uncommitted(queue);
        let lying = records.into_iter().filter(|record| !is_expired(record, &self.clock)).take(max);
        let found = lying.map(|record| {
            let id = record.message.message_id.as_deref().map(str::to_owned);
            DeadLetter::new(queue.to_owned(), id, record.message.body.clone(), record.message.headers.clone())
        });
        Ok(found.collect())
    }

    fn health(&self) -> Result<(), String> {
        self.connected().map_err(|error| error.to_string())
    }

    async fn close(&self, _: Instant) {
        self.disconnect();
    }
}

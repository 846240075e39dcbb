use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    MessageType,
    address::{Address, AddressError, Destination},
    clock::Clock,
    observer::Observers,
    topology::{TopicKind, Topology},
    transport::{Publisher, Transport},
};

/// What everything that sends shares: the transport's way out, and what was worked out once.
#[derive(Debug)]
pub(crate) struct Outlet {
    transport: Arc<dyn Transport>,
    publisher: Arc<dyn Publisher>,
    pub(crate) clock: Clock,
    /// The address of this process, the source of what is sent outside of a handler.
    pub(crate) source: Arc<str>,
    /// How long a send may take unless it says otherwise.
    pub(crate) timeout: Duration,
    /// Told of everything that happens.
    pub(crate) observers: Observers,
    open: AtomicBool,
    /// Where each message type is published, by URN; filled at the first publish of a type.
    topics: RwLock<HashMap<&'static str, Arc<Route>>>,
}

/// A receiver, and its absolute address as envelopes carry it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) destination: Destination,
    pub(crate) address: String,
}

impl Outlet {
    pub(crate) fn new(transport: Arc<dyn Transport>, clock: Clock, timeout: Duration, observers: Observers) -> Self {
        Self {
            publisher: transport.publisher(),
            source: transport.source_address().into(),
            transport,
            clock,
            timeout,
            observers,
            open: AtomicBool::new(false),
            topics: RwLock::default(),
        }
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    pub(crate) fn publisher(&self) -> &dyn Publisher {
        &*self.publisher
    }

    pub(crate) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Where a message type is published.
    pub(crate) fn topic(&self, message_type: &'static MessageType) -> Arc<Route> {
        let urn = message_type.urn();
        if let Some(route) = self.topics.read().unwrap_or_else(PoisonError::into_inner).get(urn) {
            return route.clone();
        }
        let topic: Arc<str> = message_type.entity_name().into();
        self.publisher.announce(&topic, Arc::new(Topology::of_published(message_type)));
        let mut route = self.route(Destination::Topic(topic));
        if message_type.topic_kind() != TopicKind::Fanout {
            // MassTransit's address of an exchange that is no fanout.
            route.address = format!("{}?type={}", route.address, message_type.topic_kind().as_str());
        }
        let route = Arc::new(route);
        self.topics.write().unwrap_or_else(PoisonError::into_inner).entry(urn).or_insert(route).clone()
    }

    /// Where an address leads on this broker.
    pub(crate) fn resolve(&self, address: &Address) -> Result<Arc<Route>, AddressError> {
        Ok(Arc::new(self.route(self.transport.resolve(address)?)))
    }

    fn route(&self, destination: Destination) -> Route {
        Route { address: self.transport.absolute(&destination), destination }
    }
}

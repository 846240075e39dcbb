//! Queues, topics and bindings as plain data. The bus builds them from consumers and messages; a transport
//! declares them its way.

use std::sync::Arc;

pub use crate::message::TopicKind;
use crate::{MessageType, address::Destination, transport::Extensions};

/// What has to exist on the broker.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Topology {
    /// The queues of the receive endpoints.
    pub queues: Vec<Queue>,
    /// Where message types are published.
    pub topics: Vec<Topic>,
    /// Who gets a copy of what.
    pub bindings: Vec<Binding>,
}

/// The queue of a receive endpoint. On RabbitMQ and in memory it has an exchange of the same name in front.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Queue {
    /// The name.
    pub name: Arc<str>,
    /// Messages come back to it after a delay.
    pub redelivers: bool,
    /// What only one transport knows.
    pub extensions: Extensions,
}

/// Where messages of a type are published; whoever is bound to it gets a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// The name.
    pub name: Arc<str>,
    /// Whether the routing key counts.
    pub kind: TopicKind,
}

/// Everything that arrives at `source` also goes to `destination`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The topic that gives copies.
    pub source: Arc<str>,
    /// The queue (behind its exchange) or topic that gets them.
    pub destination: Destination,
    /// Which messages, where the source's kind asks for it. The default is the empty key.
    pub routing_key: Arc<str>,
}

impl Queue {
    /// A durable queue.
    #[must_use]
    pub fn new(name: Arc<str>) -> Self {
        Self { name, redelivers: false, extensions: Extensions::new() }
    }
}

impl Topology {
    /// What publishing a type needs: its topic, those of the contracts it fulfils, and a binding from the
    /// first to each of the others. All contracts are bound directly, those of contracts too, as MassTransit
    /// does it by default ("flattened").
    #[must_use]
    pub fn of_published(message_type: &MessageType) -> Self {
        let mut topology = Self::default();
        let own: Arc<str> = message_type.entity_name().into();
        if !message_type.is_in_topology() {
            return topology;
        }
        topology.topic(&own, message_type.topic_kind());
        for contract in message_type.contracts().iter().filter(|contract| contract.is_in_topology()) {
            let name: Arc<str> = contract.entity_name().into();
            topology.topic(&name, contract.topic_kind());
            // MassTransit's key from a topic exchange: everything.
            let key = if message_type.topic_kind() == TopicKind::Topic { "#" } else { "" };
            topology.bind(&own, Destination::Topic(name), key);
        }
        topology
    }

    /// Adds a topic, once.
    pub fn topic(&mut self, name: &Arc<str>, kind: TopicKind) {
        if !self.topics.iter().any(|topic| topic.name == *name) {
            self.topics.push(Topic { name: name.clone(), kind });
        }
    }

    /// Lets `destination` get what arrives at the topic `source` with that key, once.
    pub fn bind(&mut self, source: &Arc<str>, destination: Destination, routing_key: &str) {
        let binding = Binding { source: source.clone(), destination, routing_key: routing_key.into() };
        if !self.bindings.contains(&binding) {
            self.bindings.push(binding);
        }
    }
}

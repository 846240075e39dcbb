//! Queues, topics and bindings as plain data. The bus builds them from consumers and messages; a transport
//! declares them its way.

use std::sync::Arc;

use crate::transport::Extensions;

/// What has to exist on the broker.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Topology {
    /// The queues of the receive endpoints.
    pub queues: Vec<Queue>,
    /// Where message types are published.
    pub topics: Vec<Topic>,
    /// Which queue gets what.
    pub bindings: Vec<Binding>,
}

/// The queue of a receive endpoint. On RabbitMQ and in memory it has an exchange of the same name in front.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Queue {
    /// The name.
    pub name: Arc<str>,
    /// What only one transport knows.
    pub extensions: Extensions,
}

/// Where messages of a type are published; whoever subscribed gets a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// The name.
    pub name: Arc<str>,
}

/// Everything that arrives at `topic` also goes to `queue`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The source.
    pub topic: Arc<str>,
    /// The queue that gets a copy.
    pub queue: Arc<str>,
}

impl Queue {
    /// A durable queue.
    #[must_use]
    pub fn new(name: Arc<str>) -> Self {
        Self { name, extensions: Extensions::new() }
    }
}

impl Topology {
    /// Adds a topic, once.
    pub fn topic(&mut self, name: &Arc<str>) {
        if !self.topics.iter().any(|topic| topic.name == *name) {
            self.topics.push(Topic { name: name.clone() });
        }
    }

    /// Lets `queue` get what arrives at `topic`, once.
    pub fn bind(&mut self, topic: &Arc<str>, queue: &Arc<str>) {
        let binding = Binding { topic: topic.clone(), queue: queue.clone() };
        if !self.bindings.contains(&binding) {
            self.bindings.push(binding);
        }
    }
}

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, OnceLock},
};

use crate::queue::Queue;

/// The queues, the exchanges, and what leads where.
#[derive(Debug, Default)]
pub(super) struct Routes {
    queues: HashMap<Arc<str>, Arc<Queue>>,
    exchanges: HashMap<Arc<str>, Exchange>,
}

#[derive(Debug, Default)]
struct Exchange {
    /// The queue behind it, if it is a queue's own exchange.
    queue: Option<Arc<Queue>>,
    /// The exchanges that get what arrives here.
    bound: Vec<Arc<str>>,
    /// The queues it leads to in the end; worked out at the first message after a change.
    reach: OnceLock<Arc<[Arc<Queue>]>>,
}

impl Routes {
    pub(super) fn queue(&self, name: &str) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    pub(super) fn has_topic(&self, name: &str) -> bool {
        self.exchanges.contains_key(name)
    }

    pub(super) fn has_binding(&self, topic: &str, queue: &str) -> bool {
        self.exchanges.get(topic).is_some_and(|exchange| exchange.bound.iter().any(|bound| **bound == *queue))
    }

    /// Makes a queue with its exchange in front, unless it is there.
    pub(super) fn declare_queue(&mut self, name: &Arc<str>) -> Arc<Queue> {
        if let Some(queue) = self.queues.get(name) {
            return queue.clone();
        }
        let queue = Arc::new(Queue::default());
        self.queues.insert(name.clone(), queue.clone());
        self.exchanges.entry(name.clone()).or_default().queue = Some(queue.clone());
        self.changed();
        queue
    }

    /// Makes an exchange, unless it is there.
    pub(super) fn declare_topic(&mut self, name: &Arc<str>) {
        self.exchanges.entry(name.clone()).or_default();
    }

    /// Lets the exchange `queue` get what arrives at `topic`.
    pub(super) fn bind(&mut self, topic: &Arc<str>, queue: &Arc<str>) {
        if !self.has_binding(topic, queue) {
            self.exchanges.entry(topic.clone()).or_default().bound.push(queue.clone());
            self.changed();
        }
    }

    /// The queues that get what arrives at an exchange, each once; `None` if there is no such exchange.
    pub(super) fn reach(&self, topic: &str) -> Option<Arc<[Arc<Queue>]>> {
        let exchange = self.exchanges.get(topic)?;
        Some(exchange.reach.get_or_init(|| self.walk(topic)).clone())
    }

    fn walk(&self, topic: &str) -> Arc<[Arc<Queue>]> {
        let mut found = Vec::new();
        // Every exchange is passed once: bindings may go in circles, and lead to one queue over several paths.
        let mut seen = HashSet::from([topic]);
        let mut next = VecDeque::from([topic]);
        while let Some(name) = next.pop_front() {
            let Some(exchange) = self.exchanges.get(name) else { continue };
            found.extend(exchange.queue.clone());
            next.extend(exchange.bound.iter().map(AsRef::as_ref).filter(|bound| seen.insert(bound)));
        }
        found.into()
    }

    fn changed(&mut self) {
        for exchange in self.exchanges.values_mut() {
            exchange.reach = OnceLock::new();
        }
    }
}

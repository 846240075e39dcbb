use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, OnceLock},
};

use bus_core::topology::TopicKind;

use super::pattern::matches;
use crate::{
    endpoint::EndpointOptions,
    queue::{Home, Queue},
};

/// The queues, the exchanges, and what leads where.
#[derive(Debug)]
pub(super) struct Routes {
    home: Home,
    queues: HashMap<Arc<str>, Arc<Queue>>,
    exchanges: HashMap<Arc<str>, Exchange>,
}

#[derive(Debug, Default)]
struct Exchange {
    kind: TopicKind,
    /// The queue behind it, if it is a queue's own exchange.
    queue: Option<Arc<Queue>>,
    /// The exchanges that get what arrives here, each with its key.
    bound: Vec<(Arc<str>, Arc<str>)>,
    /// Where it leads, worked out at the first message after a change.
    reach: OnceLock<Reach>,
}

/// The queues that an exchange leads to in the end.
#[derive(Debug, Clone)]
enum Reach {
    /// These, whatever the message's key.
    Always(Arc<[Arc<Queue>]>),
    /// An exchange on the way looks at the key.
    ByKey,
}

impl Exchange {
    /// Whether a message with that key goes over a binding with this one.
    fn takes(&self, binding: &str, key: &str) -> bool {
        match self.kind {
            TopicKind::Direct => binding == key,
            TopicKind::Topic => matches(binding, key),
            _ => true,
        }
    }
}

impl Routes {
    pub(super) fn new(home: Home) -> Self {
        Self { home, queues: HashMap::new(), exchanges: HashMap::new() }
    }

    pub(super) fn queue(&self, name: &str) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    /// The kind of an exchange, if there is one of that name.
    pub(super) fn topic(&self, name: &str) -> Option<TopicKind> {
        self.exchanges.get(name).map(|exchange| exchange.kind)
    }

    pub(super) fn has_binding(&self, source: &str, destination: &str, key: &str) -> bool {
        let bound = |exchange: &Exchange| exchange.bound.iter().any(|(to, by)| **to == *destination && **by == *key);
        self.exchanges.get(source).is_some_and(bound)
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.values()
    }

    /// Makes a queue with its exchange in front, unless it is there.
    pub(super) fn declare_queue(&mut self, name: &Arc<str>, options: EndpointOptions) -> Arc<Queue> {
        if let Some(queue) = self.queues.get(name) {
            return queue.clone();
        }
        let queue = Queue::new(name.clone(), options, &self.home);
        self.queues.insert(name.clone(), queue.clone());
        self.exchanges.entry(name.clone()).or_default().queue = Some(queue.clone());
        self.changed();
        queue
    }

    /// Makes an exchange, unless it is there.
    pub(super) fn declare_topic(&mut self, name: &Arc<str>, kind: TopicKind) {
        self.exchanges.entry(name.clone()).or_insert_with(|| Exchange { kind, ..Exchange::default() });
    }

    /// Lets the exchange `destination` get what arrives at `source` with that key.
    pub(super) fn bind(&mut self, source: &Arc<str>, destination: &Arc<str>, key: &Arc<str>) {
        if !self.has_binding(source, destination, key) {
            let exchange = self.exchanges.entry(source.clone()).or_default();
            exchange.bound.push((destination.clone(), key.clone()));
            self.changed();
        }
    }

    /// The queues that get what arrives at an exchange with that key, each once; `None` if there is no such
    /// exchange.
    pub(super) fn reach(&self, topic: &str, key: &str) -> Option<Arc<[Arc<Queue>]>> {
        let exchange = self.exchanges.get(topic)?;
        let reach = exchange.reach.get_or_init(|| match self.walk(topic, "") {
            (_, true) => Reach::ByKey,
            (queues, false) => Reach::Always(queues.into()),
        });
        Some(match reach {
            Reach::Always(queues) => queues.clone(),
            Reach::ByKey => self.walk(topic, key).0.into(),
        })
    }

    /// The queues, and whether the key was looked at.
    fn walk(&self, topic: &str, key: &str) -> (Vec<Arc<Queue>>, bool) {
        let (mut found, mut by_key) = (Vec::new(), false);
        // Every exchange is passed once: bindings may go in circles, and lead to one queue over several paths.
        let mut seen = HashSet::from([topic]);
        let mut next = VecDeque::from([topic]);
        while let Some(name) = next.pop_front() {
            let Some(exchange) = self.exchanges.get(name) else { continue };
            by_key |= exchange.kind != TopicKind::Fanout;
            found.extend(exchange.queue.clone());
            let bound = exchange.bound.iter().filter(|(_, binding)| exchange.takes(binding, key));
            next.extend(bound.map(|(to, _)| to.as_ref()).filter(|to| seen.insert(to)));
        }
        (found, by_key)
    }

    fn changed(&mut self) {
        for exchange in self.exchanges.values_mut() {
            exchange.reach = OnceLock::new();
        }
    }
}

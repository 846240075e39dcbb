use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use bus_core::{address::Destination, transport::Outgoing};

use super::LaneKey;

/// A message in a partition.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) message: Arc<Outgoing>,
    /// When it was appended, counted in messages of the broker.
    pub(super) number: u64,
}

/// The topics and what is bound to them. A binding copies nothing: whoever reads its destination reads its source.
#[derive(Debug)]
pub(super) struct Topics {
    partitions: usize,
    logs: HashMap<Destination, Vec<Vec<Record>>>,
    bindings: Vec<(Destination, Destination)>,
    appended: u64,
}

impl Topics {
    pub(super) fn new(partitions: usize) -> Self {
        Self { partitions, logs: HashMap::new(), bindings: Vec::new(), appended: 0 }
    }

    pub(super) fn add(&mut self, topic: Destination) {
        let partitions = self.partitions;
        self.logs.entry(topic).or_insert_with(|| vec![Vec::new(); partitions]);
    }

    pub(super) fn has(&self, topic: &Destination) -> bool {
        self.logs.contains_key(topic)
    }

    pub(super) fn bind(&mut self, source: &Arc<str>, destination: &Arc<str>) {
        let binding = (Destination::Topic(source.clone()), Destination::Topic(destination.clone()));
        self.add(binding.0.clone());
        self.add(binding.1.clone());
        if !self.bindings.contains(&binding) {
            self.bindings.push(binding);
        }
    }

    /// What a queue's group reads: the queue, the topic of its name, and all that is bound to that over however
    /// many steps. Each once: a message is in one topic, so a group gets it once.
    pub(super) fn reaching(&self, queue: &Arc<str>) -> Vec<Destination> {
        let mut found = vec![Destination::Topic(queue.clone())];
        let mut at = 0;
        while let Some(topic) = found.get(at).cloned() {
            let sources = self.bindings.iter().filter(|(_, destination)| *destination == topic);
            for (source, _) in sources {
                if !found.contains(source) {
                    found.push(source.clone());
                }
            }
            at += 1;
        }
        found.push(Destination::Queue(queue.clone()));
        found
    }

    /// Where it lies now: messages of one lane, else of one id, lie in one partition.
    pub(super) fn append(&mut self, message: Outgoing) -> LaneKey {
        self.appended += 1;
        let key = message.lane.as_ref().map(|lane| &lane.0).or(message.message_id.as_ref());
        let partition = match key {
            Some(key) => self.partition(key),
            None => self.modulo(self.appended),
        };
        let topic = message.to.clone();
        self.add(topic.clone());
        let log = self.logs.entry(topic.clone()).or_default();
        log[partition].push(Record { message: Arc::new(message), number: self.appended });
        LaneKey { topic, partition }
    }

    /// Where messages of that key lie.
    pub(super) fn partition(&self, key: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.modulo(hasher.finish())
    }

    fn modulo(&self, number: u64) -> usize {
        usize::try_from(number % self.partitions as u64).unwrap_or_default()
    }

    pub(super) fn record(&self, lane: &LaneKey, offset: u64) -> Option<Record> {
        self.from(lane, offset).first().cloned()
    }

    pub(super) fn from(&self, lane: &LaneKey, offset: u64) -> &[Record] {
        let partition = self.logs.get(&lane.topic).and_then(|log| log.get(lane.partition));
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        partition.and_then(|records| records.get(from..)).unwrap_or_default()
    }

    /// The end of each partition.
    pub(super) fn ends(&self, topic: &Destination) -> Vec<u64> {
        self.logs.get(topic).into_iter().flatten().map(|records| records.len() as u64).collect()
    }
}

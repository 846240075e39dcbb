//! A broker like Kafka, in process: partitions that only grow, and groups of readers with one committed offset for
//! each of them. Whether a message was handled, it does not know.

mod group;
mod lane;
mod partitions;
mod sharing;
mod topics;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bus_core::{address::Destination, clock::Clock, topology::Topology, transport::Outgoing};
use tokio::sync::Notify;

use group::Group;
pub(crate) use {
    group::{Assigned, Change},
    lane::LaneKey,
    topics::Record,
};

/// A broker of its own; all who have the driver reach it.
#[derive(Debug)]
pub(crate) struct Broker {
    /// How long a reader may keep a partition that another one is to have.
    handover: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    topics: topics::Topics,
    groups: HashMap<Arc<str>, Group>,
}

impl Broker {
    /// Each topic has so many partitions.
    pub(crate) fn new(partitions: usize, handover: Duration) -> Arc<Self> {
        let state = State { topics: topics::Topics::new(partitions), groups: HashMap::new() };
        Arc::new(Self { handover, state: Mutex::new(state) })
    }

    /// Makes what is missing, and lets each group read what is bound to it, from its end on.
    pub(crate) fn apply(&self, topology: &Topology) {
        let mut state = self.state();
        for queue in &topology.queues {
            state.add_queue(&queue.name);
        }
        for topic in &topology.topics {
            state.topics.add(Destination::Topic(topic.name.clone()));
        }
        for binding in &topology.bindings {
            state.topics.bind(&binding.source, binding.destination.name());
        }
        state.subscribe();
    }

    /// What a log has in place of a queue: a topic that one group reads, from its beginning.
    pub(crate) fn add_queue(&self, name: &Arc<str>) {
        let mut state = self.state();
        state.add_queue(name);
        state.subscribe();
    }

    pub(crate) fn has(&self, destination: &Destination) -> bool {
        self.state().topics.has(destination)
    }

    /// Whether any group reads it.
    pub(crate) fn is_read(&self, destination: &Destination) -> bool {
        self.state().groups.values().any(|group| group.reads(destination))
    }

    /// Puts the message at the end of its partition.
    pub(crate) fn append(&self, message: Outgoing) {
        let mut state = self.state();
        let lane = state.topics.append(message);
        for group in state.groups.values() {
            group.wake_reader(&lane);
        }
    }

    /// Where messages of a lane lie.
    pub(crate) fn partition(&self, lane: &str) -> usize {
        self.state().topics.partition(lane)
    }

    /// A new reader in a group, and its number; nothing if there is no such group. It is woken when there may be
    /// something for it. Partitions that it is to have, and another one has, are revoked there.
    pub(crate) fn join(self: &Arc<Self>, group: &str, wake: Arc<Notify>, clock: &Clock) -> Option<u64> {
        self.with_group(group, |group| {
            let (member, excess) = group.join(wake);
            let deadline = clock.after(self.handover);
            for (lane, epoch) in excess {
                let (broker, name, lost) = (Arc::downgrade(self), group.name().clone(), lane.clone());
                let alarm = clock.alarm(deadline, move || {
                    if let Some(broker) = broker.upgrade() {
                        broker.give(&name, &lost, epoch);
                    }
                });
                group.revoke(&lane, deadline, alarm);
            }
            member
        })
    }

    /// A reader is gone; its partitions go to the others.
    pub(crate) fn leave(&self, group: &str, member: u64) {
        self.with_group(group, |group| group.leave(member));
    }

    /// What became of a reader's partitions since it asked last; nothing if it is no member any more.
    pub(crate) fn changes(&self, group: &str, member: u64) -> Option<Vec<Change>> {
        self.with_group(group, |group| group.changes(member)).flatten()
    }

    /// The record at an offset, if there is one, and whether the group read so far before.
    pub(crate) fn fetch(&self, group: &str, lane: &LaneKey, offset: u64) -> Option<(Record, bool)> {
        let mut state = self.state();
        let record = state.topics.record(lane, offset)?;
        let again = state.groups.get_mut(group)?.reach(lane, offset)?;
        Some((record, again))
    }

    /// Everything before the offset is done. Refused if the partition is not that reader's any more.
    pub(crate) fn commit(&self, group: &str, lane: &LaneKey, epoch: u64, offset: u64) -> bool {
        self.with_group(group, |group| group.commit(lane, epoch, offset)).unwrap_or_default()
    }

    /// A reader is done with a partition that it is to give away, or its time is over.
    pub(crate) fn give(&self, group: &str, lane: &LaneKey, epoch: u64) {
        self.with_group(group, |group| group.give(lane, epoch));
    }

    /// The broker takes the readers of a group for dead, as it does when they were silent for too long. They hear
    /// of it when they ask.
    pub(crate) fn expire(&self, group: &str) {
        self.with_group(group, Group::expire);
    }

    /// The group's committed offset in a partition of its queue.
    pub(crate) fn committed(&self, queue: &str, partition: usize) -> u64 {
        let lane = LaneKey { topic: Destination::Queue(queue.into()), partition };
        self.with_group(queue, |group| group.committed(&lane)).flatten().expect("the queue and the partition exist")
    }

    /// What the group has not committed, oldest first; nothing if there is no such group.
    pub(crate) fn uncommitted(&self, group: &str) -> Vec<Record> {
        let state = self.state();
        let Some(group) = state.groups.get(group) else { return Vec::new() };
        let mut found: Vec<_> =
            group.offsets().flat_map(|(lane, from)| state.topics.from(&lane, from)).cloned().collect();
        found.sort_by_key(|record| record.number);
        found
    }

    fn with_group<T>(&self, name: &str, work: impl FnOnce(&mut Group) -> T) -> Option<T> {
        self.state().groups.get_mut(name).map(work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add_queue(&mut self, name: &Arc<str>) {
        self.topics.add(Destination::Queue(name.clone()));
        self.topics.add(Destination::Topic(name.clone()));
        self.groups.entry(name.clone()).or_insert_with(|| Group::new(name.clone()));
    }

    fn subscribe(&mut self) {
        for group in self.groups.values_mut() {
            for topic in self.topics.reaching(group.name()) {
                group.read(&topic, &self.topics.ends(&topic));
            }
        }
    }
}

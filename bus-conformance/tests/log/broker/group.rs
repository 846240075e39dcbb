use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bus_core::{address::Destination, clock::Alarm};
use tokio::sync::Notify;

use super::{
    LaneKey,
    partitions::{Owner, Partitions, Share},
};

/// Readers that share the partitions of some topics, and how far they are.
#[derive(Debug)]
pub(super) struct Group {
    name: Arc<str>,
    topics: Vec<Partitions>,
    members: BTreeMap<u64, Member>,
    /// Members and epochs so far.
    numbers: u64,
}

#[derive(Debug)]
struct Member {
    changes: Vec<Change>,
    wake: Arc<Notify>,
}

/// What became of a reader's partitions.
#[derive(Debug)]
pub(crate) enum Change {
    Assigned(Assigned),
    /// The partition of that epoch is to be given away until the deadline.
    Revoked(u64, Instant),
    /// The partition of that epoch is gone.
    Gone(u64),
}

/// A partition that a reader has from now on.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) lane: LaneKey,
    pub(crate) epoch: u64,
    pub(crate) committed: u64,
}

impl Group {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, topics: Vec::new(), members: BTreeMap::new(), numbers: 0 }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Reads a topic too, from these offsets; one that it reads already, from where it is.
    pub(super) fn read(&mut self, topic: &Destination, ends: &[u64]) {
        if !self.reads(topic) {
            self.topics.push(Partitions::new(topic, ends));
            self.share_out();
        }
    }

    pub(super) fn reads(&self, topic: &Destination) -> bool {
        self.topics.iter().any(|known| known.topic == *topic)
    }

    /// A new member, and the partitions that others have to give away for it, each with its epoch.
    pub(super) fn join(&mut self, wake: Arc<Notify>) -> (u64, Vec<(LaneKey, u64)>) {
        self.numbers += 1;
        self.members.insert(self.numbers, Member { changes: Vec::new(), wake });
        let member = self.numbers;
        self.share_out();
        let readers: Vec<_> = self.members.keys().copied().collect();
        let mut excess = Vec::new();
        for known in &self.topics {
            for partition in known.excess(&readers) {
                let lane = LaneKey { topic: known.topic.clone(), partition };
                excess.extend(known.shares[partition].owner.as_ref().map(|owner| (lane, owner.epoch)));
            }
        }
        (member, excess)
    }

    /// Tells the owner of a partition to give it away until the deadline, when the alarm rings.
    pub(super) fn revoke(&mut self, lane: &LaneKey, deadline: Instant, alarm: Alarm) {
        if let Some(owner) = self.share(lane).and_then(|share| share.owner.as_mut()) {
            owner.revoked = Some(alarm);
            let (member, epoch) = (owner.member, owner.epoch);
            self.tell(member, Change::Revoked(epoch, deadline));
        }
    }

    /// A partition goes from its owner to another member, if it is still of that epoch.
    pub(super) fn give(&mut self, lane: &LaneKey, epoch: u64) {
        let Some(share) = self.share(lane) else { return };
        if let Some(owner) = share.owner.take_if(|owner| owner.epoch == epoch) {
            self.tell(owner.member, Change::Gone(epoch));
            self.share_out();
        }
    }

    pub(super) fn leave(&mut self, member: u64) {
        self.members.remove(&member);
        for share in self.shares() {
            share.owner.take_if(|owner| owner.member == member);
        }
        self.share_out();
    }

    pub(super) fn expire(&mut self) {
        self.members.clear();
        for share in self.shares() {
            share.owner = None;
        }
    }

    pub(super) fn changes(&mut self, member: u64) -> Option<Vec<Change>> {
        self.members.get_mut(&member).map(|member| std::mem::take(&mut member.changes))
    }

    /// The group reads that record; whether it did before.
    pub(super) fn reach(&mut self, lane: &LaneKey, offset: u64) -> Option<bool> {
        let share = self.share(lane)?;
        let again = offset < share.reached;
        share.reached = share.reached.max(offset + 1);
        Some(again)
    }

    pub(super) fn commit(&mut self, lane: &LaneKey, epoch: u64, offset: u64) -> bool {
        let Some(share) = self.share(lane) else { return false };
        let is_owner = share.owner.as_ref().is_some_and(|owner| owner.epoch == epoch);
        if is_owner {
            share.committed = offset;
        }
        is_owner
    }

    pub(super) fn committed(&mut self, lane: &LaneKey) -> Option<u64> {
        self.share(lane).map(|share| share.committed)
    }

    /// The committed offset of each partition.
    pub(super) fn offsets(&self) -> impl Iterator<Item = (LaneKey, u64)> {
        self.topics.iter().flat_map(|Partitions { topic, shares }| {
            shares.iter().enumerate().map(|(partition, share)| {
                let lane = LaneKey { topic: topic.clone(), partition };
                (lane, share.committed)
            })
        })
    }

    pub(super) fn wake_reader(&self, lane: &LaneKey) {
        let topic = self.topics.iter().find(|known| known.topic == lane.topic);
        let owner = topic.and_then(|known| known.shares[lane.partition].owner.as_ref());
        if let Some(member) = owner.and_then(|owner| self.members.get(&owner.member)) {
            member.wake.notify_one();
        }
    }

    /// Gives what nobody has to those who have least.
    fn share_out(&mut self) {
        let readers: Vec<_> = self.members.keys().copied().collect();
        let mut assigned = Vec::new();
        for known in &mut self.topics {
            for (partition, member) in known.free(&readers) {
                self.numbers += 1;
                let share = &mut known.shares[partition];
                share.owner = Some(Owner { member, epoch: self.numbers, revoked: None });
                let lane = LaneKey { topic: known.topic.clone(), partition };
                assigned.push((member, Assigned { lane, epoch: self.numbers, committed: share.committed }));
            }
        }
        for (member, assigned) in assigned {
            self.tell(member, Change::Assigned(assigned));
        }
    }

    fn tell(&mut self, member: u64, change: Change) {
        if let Some(member) = self.members.get_mut(&member) {
            member.changes.push(change);
            member.wake.notify_one();
        }
    }

    fn shares(&mut self) -> impl Iterator<Item = &mut Share> {
        self.topics.iter_mut().flat_map(|known| &mut known.shares)
    }

    fn share(&mut self, lane: &LaneKey) -> Option<&mut Share> {
        let known = self.topics.iter_mut().find(|known| known.topic == lane.topic);
        known.and_then(|known| known.shares.get_mut(lane.partition))
    }
}

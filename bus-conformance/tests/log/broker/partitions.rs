use bus_core::{address::Destination, clock::Alarm};

use super::sharing;

/// A topic as one group reads it.
#[derive(Debug)]
pub(super) struct Partitions {
    pub(super) topic: Destination,
    pub(super) shares: Vec<Share>,
}

/// A partition as one group reads it.
#[derive(Debug)]
pub(super) struct Share {
    /// Everything before it is done.
    pub(super) committed: u64,
    /// Everything before it was read. A log does not know that; a reader can write it beside what it commits.
    pub(super) reached: u64,
    pub(super) owner: Option<Owner>,
}

/// The reader that has a partition.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) member: u64,
    /// Another one each time that the partition is given to somebody.
    pub(super) epoch: u64,
    /// Rings when it has to be given away.
    pub(super) revoked: Option<Alarm>,
}

impl Partitions {
    pub(super) fn new(topic: &Destination, ends: &[u64]) -> Self {
        let shares = ends.iter().map(|end| Share { committed: *end, reached: *end, owner: None });
        Self { topic: topic.clone(), shares: shares.collect() }
    }

    /// The partitions that nobody has, each with the reader that is to have it.
    pub(super) fn free(&self, readers: &[u64]) -> Vec<(usize, u64)> {
        sharing::free(&self.owners(|_| true), readers)
    }

    /// The partitions that readers have beyond their share, and were not told to give away yet.
    pub(super) fn excess(&self, readers: &[u64]) -> Vec<usize> {
        sharing::excess(&self.owners(|owner| owner.revoked.is_none()), readers)
    }

    fn owners(&self, counts: impl Fn(&Owner) -> bool) -> Vec<Option<u64>> {
        let owner = |share: &Share| share.owner.as_ref().filter(|owner| counts(owner)).map(|owner| owner.member);
        self.shares.iter().map(owner).collect()
    }
}

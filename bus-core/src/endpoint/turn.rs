use std::time::Instant;

use super::starts::LIMIT;
use crate::transport::{Delivery, Lane};

/// A delivery that waits for its turn at an endpoint.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) delivery: Delivery,
    /// How many starts of its handlers ended without a settlement, as far as its header tells.
    pub(crate) starts: u32,
    /// It was delivered before, and its handlers may have been started then: it is counted and not handled.
    pub(crate) counts: bool,
    /// Its broker would delete it soon, since it was delivered often: a copy takes its place.
    pub(crate) worn: bool,
    /// Its handler here was cancelled since the broker did not wait longer, and that so often by now: it is counted
    /// and not handled.
    pub(crate) overdue: Option<u32>,
    pub(crate) arrived: Instant,
    /// Half of its lease: not begun after this without a longer one.
    pub(crate) stale: Option<Instant>,
}

impl Turn {
    /// From its third start on a message is handled alone: its neighbours are not to fall with it.
    pub(crate) fn is_alone(&self) -> bool {
        !self.counts && (ALONE..LIMIT).contains(&self.starts) && self.delivery.lane.is_none()
    }

    /// It was counted before. Released, it would be counted once more, though its process did not end: a few stops would
    /// make a suspect of it.
    pub(crate) fn is_counted(&self) -> bool {
        !self.counts && self.starts > 0 && self.delivery.lane.is_none()
    }

    pub(crate) fn lane(&self) -> Option<&Lane> {
        self.delivery.lane.as_ref()
    }
}

/// So many starts ended badly before a message is handled alone.
pub(super) const ALONE: u32 = 2;

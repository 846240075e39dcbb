use super::turn::{ALONE, Turn};
use crate::{clock::Clock, envelope::HeaderValue, transport::Delivery};

/// The header that counts the starts of a message's handlers which ended without a settlement.
pub(crate) const STARTS: &str = "Bus-Starts";

/// Tells of each delivery, as it arrives, whether it may be what ended a process.
///
/// A broker says only that a message was delivered before, not that it was begun. So every message that comes
/// again is counted (see `starts.rs`), with two exceptions:
///
/// - One that this very process had when its connection was lost: the process is there, so nothing ended it.
/// - Of those that are handled alone already, which come again in their order, only the first can have been at
///   work: the others were behind it.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// How many may come again since a connection was lost.
    forgiven: usize,
    /// The one before was handled alone and came again.
    after_suspect: bool,
}

impl Arrivals {
    /// The connection is gone, and with it the right to settle so many.
    pub(super) fn lost(&mut self, unsettled: usize) {
        self.forgiven += unsettled;
        self.after_suspect = false;
    }

    pub(super) fn turn(&mut self, delivery: Delivery, clock: &Clock) -> Turn {
        let starts = delivery.headers.get(STARTS).and_then(HeaderValue::as_u32).unwrap_or_default();
        let counts = self.counts(&delivery, starts);
        let stale = delivery.lease.map(|lease| {
            let now = clock.now();
            now + lease.until.saturating_duration_since(now) / 2
        });
        Turn { delivery, starts, counts, stale }
    }

    fn counts(&mut self, delivery: &Delivery, starts: u32) -> bool {
        if !delivery.redelivered {
            // What had to come again comes first.
            *self = Self::default();
            return false;
        }
        // A lane keeps its order, and a copy would be the last.
        if delivery.lane.is_some() {
            return false;
        }
        if self.forgiven > 0 {
            self.forgiven -= 1;
            return false;
        }
        let suspect = starts >= ALONE;
        !(std::mem::replace(&mut self.after_suspect, suspect) && suspect)
    }
}

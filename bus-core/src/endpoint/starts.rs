//! Finds the message that ends its process. The starts of its handlers are counted in a header of our own, on
//! every kind of queue: a broker that counts deliveries counts those that only waited, too.
//!
//! A message that comes again, and may have been begun, is not begun: it is copied to the queue that it came
//! from with one start more, and completed. From its third start on it is handled alone; after five it goes to
//! `_error`. So does a message that a broker would take away because it was delivered too often: its copy is a
//! new message to the broker.

use tokio::sync::RwLock;

use super::{
    Stopped, Stopping,
    arrival::{OVERDUE, STARTS},
    relocate::{Relocated, relocate_unless},
    turn::{ALONE, Turn},
};
use crate::{
    address::Destination,
    consumer::EndpointContext,
    transport::{Delivery, Outgoing, PublishOutcome, SettleOutcome},
};

/// So many starts that ended with their process are enough.
pub(super) const LIMIT: u32 = 5;

/// What is to be done with a delivery before its handlers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Begin.
    Handle,
    /// Put a copy with this count in its place.
    Copy(Count),
    /// That was once more than it may.
    Enough(Count),
}

/// How often a message was begun and did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Its process ended.
    Starts(u32),
    /// The broker did not wait longer.
    Overdue(u32),
}

impl Count {
    fn number(self) -> u32 {
        match self {
            Self::Starts(number) | Self::Overdue(number) => number,
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Starts(_) => STARTS,
            Self::Overdue(_) => OVERDUE,
        }
    }
}

/// Looks at a delivery's history. `limit`: how many deliveries the broker allows.
pub(super) fn verdict(turn: &Turn, limit: Option<u32>) -> Verdict {
    if let Some(overdue) = turn.overdue {
        let count = Count::Overdue(overdue);
        return if overdue >= LIMIT { Verdict::Enough(count) } else { Verdict::Copy(count) };
    }
    let starts = turn.starts.saturating_add(u32::from(turn.counts));
    let count = Count::Starts(starts);
    if turn.counts && starts >= LIMIT {
        return Verdict::Enough(count);
    }
    let worn = || limit.zip(turn.delivery.broker_deliveries).is_some_and(|(limit, count)| count >= (limit / 2).max(2));
    let lane = turn.lane().is_some();
    if turn.counts || !lane && turn.delivery.redelivered && worn() { Verdict::Copy(count) } else { Verdict::Handle }
}

/// Waits until no message of the endpoint is being put back. A copy may be at hand before its original is
/// completed: begun then, and ending the process, it would leave both of them behind.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(super) async fn after_counting(counting: &RwLock<()>, stopping: &Stopping) -> Result<(), Stopped> {
    tokio::select! {
        biased;
        () = stopping.signalled() => Err(Stopped),
        _done = counting.write() => Ok(()),
    }
}

/// Puts a copy with another count in the delivery's place, at the end of its queue. The delivery itself if the
/// queue refuses the copy, as one that is full does: it is begun uncounted then, since waiting for room here would
/// keep everybody from making some.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(super) async fn copy_back(
    mut delivery: Delivery,
    count: Count,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<Result<SettleOutcome, Delivery>, Stopped> {
    let clock = &endpoint.outlet.clock;
    let (name, message_id) = (&*endpoint.name, delivery.message_id.as_deref());
    match count {
        // Every message that was delivered when a process ended comes by here: that is no news.
        Count::Starts(starts) if starts < ALONE => tracing::debug!(
            endpoint = name,
            message_id,
            starts,
            "a message that may have been begun when a process ended goes to the end of its queue"
        ),
        Count::Starts(starts) => tracing::warn!(
            endpoint = name,
            message_id,
            starts,
            "a message may be what ends its processes: it is handled alone, and goes to _error after five starts"
        ),
        Count::Overdue(overdue) => tracing::warn!(
            endpoint = name,
            message_id,
            overdue,
            "a message was handled for longer than the broker waits: it goes to the end of its queue, and to _error after five times"
        ),
    }
    let mut copy = Outgoing::new(Destination::Queue(endpoint.name.clone()), delivery.body.clone(), clock.now());
    copy.content_type = delivery.content_type.clone();
    copy.message_id = delivery.message_id.clone();
    copy.correlation_id = delivery.correlation_id.clone();
    copy.headers = delivery.headers.clone();
    copy.headers.set(count.header(), i32::try_from(count.number()).unwrap_or(i32::MAX));
    copy.priority = delivery.priority;
    copy.durable = delivery.durable;
    copy.extensions = delivery.extensions.clone();
    // It is at hand, so its time to live was not over; whatever the clock of its sender says now.
    copy.mandatory = true;
    let refused =
        |outcome: &PublishOutcome| matches!(outcome, PublishOutcome::Rejected(_) | PublishOutcome::Unroutable);
    match relocate_unless(refused, copy, delivery.unsettled, endpoint, stopping).await? {
        Relocated::Done(outcome) => return Ok(Ok(outcome)),
        Relocated::Refused(unsettled) => delivery.unsettled = unsettled,
    }
    tracing::warn!(
        endpoint = &*endpoint.name,
        message_id = delivery.message_id.as_deref(),
        "a queue refused a copy that counts a message's starts: the message is begun uncounted"
    );
    Ok(Err(delivery))
}

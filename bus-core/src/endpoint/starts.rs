//! Finds the message that ends its process. The starts of its handlers are counted in a header of our own, on
//! every kind of queue: a broker that counts deliveries counts those that only waited, too.
//!
//! A message that comes again, and may have been begun, is not begun: it is copied to the queue that it came
//! from with one start more, and completed. From its third start on it is handled alone; after five it goes to
//! `_error`. A copy takes the place of a message, too, that its broker would delete because it was delivered too
//! often: to the broker it is a new one. Its starts stay as they are.

use tokio::sync::RwLock;

use super::{
    Stopped, Stopping,
    arrival::{OVERDUE, STARTS},
    dispatch::read,
    relocate::{Relocated, relocate_unless},
    turn::{ALONE, Turn},
};
use crate::{
    address::Destination,
    consumer::EndpointContext,
    envelope::HeaderValue,
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

/// Looks at a delivery's history.
pub(super) fn verdict(turn: &Turn) -> Verdict {
    match turn.overdue {
        Some(overdue) if overdue >= LIMIT => return Verdict::Enough(Count::Overdue(overdue)),
        Some(overdue) => return Verdict::Copy(Count::Overdue(overdue)),
        None => {}
    }
    match starts(turn) {
        starts if starts >= LIMIT => Verdict::Enough(Count::Starts(starts)),
        starts if turn.counts || turn.worn => Verdict::Copy(Count::Starts(starts)),
        _ => Verdict::Handle,
    }
}

/// How many starts its copy has.
pub(super) fn starts(turn: &Turn) -> u32 {
    turn.starts.saturating_add(u32::from(turn.counts))
}

/// The queue does not take the copy, as one that is full does: waiting for room would keep everybody from making some.
pub(super) fn refused(outcome: &PublishOutcome) -> bool {
    matches!(outcome, PublishOutcome::Rejected(_) | PublishOutcome::Unroutable)
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

/// Puts a copy with so many starts in the delivery's place, at the end of its queue. The delivery itself if what became
/// of the copy is `given_up`.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(super) async fn copy_back(
    mut delivery: Delivery,
    count: Count,
    given_up: impl Fn(&PublishOutcome) -> bool,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<Result<SettleOutcome, Delivery>, Stopped> {
    let clock = &endpoint.outlet.clock;
    let (name, message_id) = (&*endpoint.name, delivery.message_id.as_deref());
    let before = delivery.headers.get(count.header()).and_then(HeaderValue::as_u32).unwrap_or_default();
    match count {
        _ if count.number() == before => {
            tracing::debug!(endpoint = name, message_id, "a message goes to the end of its queue, uncounted");
        }
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
    let expires = read(&delivery, endpoint).ok().and_then(|envelope| envelope.expiration_time);
    // It is at hand, so its time to live was not over, whatever the clock of its sender says now: none is left out here.
    let left = expires.and_then(|end| end.duration_since(clock.wall()).ok());
    copy.time_to_live = left.filter(|left| !left.is_zero());
    copy.mandatory = true;
    match relocate_unless(given_up, copy, delivery.unsettled, endpoint, stopping).await? {
        Relocated::Done(outcome) => Ok(Ok(outcome)),
        Relocated::Refused(unsettled) => {
            delivery.unsettled = unsettled;
            Ok(Err(delivery))
        }
    }
}

use super::{Backoff, Holding, Stopped, Stopping};
use crate::{
    consumer::EndpointContext,
    transport::{Moved, Outgoing, PublishOutcome, SettleOutcome, Settlement, Unsettled, copy_confirm_complete},
};

/// Puts a copy in place of a delivery. The original is completed only after the broker has the copy; what fails
/// is tried again until the endpoint stops. What it returns became of the original: if it is not settled, it comes
/// again beside its copy.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(crate) async fn relocate(
    copy: Outgoing,
    unsettled: Unsettled,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<SettleOutcome, Stopped> {
    // Nobody refuses for good here: a person may make room.
    match relocate_unless(|_| false, copy, unsettled, endpoint, stopping).await? {
        Relocated::Done(outcome) => Ok(outcome),
        // Dropped, and so released.
        Relocated::Refused(_) => Err(Stopped),
    }
}

/// What became of a delivery that a copy was to replace.
#[derive(Debug)]
pub(super) enum Relocated {
    /// The broker has the copy; this became of the original.
    Done(SettleOutcome),
    /// There is no copy; the delivery is as it was.
    Refused(Unsettled),
}

/// The same; the delivery itself, if what became of the copy is `given_up`.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(super) async fn relocate_unless(
    given_up: impl Fn(&PublishOutcome) -> bool,
    mut copy: Outgoing,
    mut unsettled: Unsettled,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<Relocated, Stopped> {
    copy.extensions.insert(Moved);
    let outlet = &endpoint.outlet;
    let to = copy.to.name().clone();
    let mut _holding: Option<Holding> = None;
    let mut outage = Backoff::default();
    loop {
        copy.deadline = outlet.clock.after(outlet.timeout);
        if outlet.transport().capabilities().atomic_move {
            let settlement = match copy.delay {
                Some(delay) => Settlement::RetryLater { delay, copy: Box::new(copy) },
                None => Settlement::Move { copy: Box::new(copy) },
            };
            let outcome = unsettled.settle(settlement).await;
            if outcome != SettleOutcome::Settled {
                // It comes again, and so does the reason for the move.
                tracing::warn!(endpoint = &*endpoint.name, queue = &*to, ?outcome, "a move is in doubt");
            }
            return Ok(Relocated::Done(outcome));
        }
        match copy_confirm_complete(outlet.publisher(), unsettled, copy.clone()).await {
            Ok(outcome) => return Ok(Relocated::Done(outcome)),
            Err((back, outcome)) if given_up(&outcome) => return Ok(Relocated::Refused(back)),
            Err((back, outcome)) => {
                let message_id = copy.message_id.as_deref();
                tracing::error!(
                    endpoint = &*endpoint.name,
                    queue = &*to,
                    message_id,
                    ?outcome,
                    "held: a message could not be moved"
                );
                _holding =
                    Some(endpoint.status.hold(format!("a message could not be moved to {to}: {}", why(&outcome))));
                unsettled = back;
            }
        }
        if stopping.or_rest(&outlet.clock, outage.next(&outlet.clock)).await {
            return Err(Stopped);
        }
    }
}

fn why(outcome: &PublishOutcome) -> String {
    match outcome {
        PublishOutcome::Rejected(reason) | PublishOutcome::NotSent(reason) | PublishOutcome::Unknown(reason) => {
            reason.to_string()
        }
        PublishOutcome::Unroutable => "there is no queue of that name".to_owned(),
        PublishOutcome::Confirmed => "nothing is wrong".to_owned(),
    }
}

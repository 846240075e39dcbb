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
    mut copy: Outgoing,
    mut unsettled: Unsettled,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<SettleOutcome, Stopped> {
    copy.extensions.insert(Moved);
    let outlet = &endpoint.outlet;
    let to = copy.to.name().clone();
    let mut _holding: Option<Holding> = None;
    let mut outage = Backoff::default();
    loop {
        copy.deadline = outlet.clock.after(outlet.timeout);
        if outlet.transport().capabilities().atomic_move {
            let outcome = unsettled.settle(Settlement::Move { copy: Box::new(copy) }).await;
            if outcome != SettleOutcome::Settled {
                // It comes again, and so does the reason for the move.
                tracing::warn!(endpoint = &*endpoint.name, queue = &*to, ?outcome, "a move is in doubt");
            }
            return Ok(outcome);
        }
        match copy_confirm_complete(outlet.publisher(), unsettled, copy.clone()).await {
            Ok(outcome) => return Ok(outcome),
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

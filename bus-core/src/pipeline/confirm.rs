use crate::{
    Error,
    consumer::{EndpointContext, Record, Sent},
    endpoint::{Stopped, Stopping, insist},
    fault::Reason,
    transport::PublishOutcome,
};

/// Why an attempt whose handler is done with its message is not.
pub(super) enum Unconfirmed {
    /// The broker refused a message of the handler's.
    Refused(Box<Reason>),
    Stopped,
}

/// Waits until the broker has everything that the handler sent. What an outage swallowed is sent again with the
/// same id, without a second run of the handler. What the broker refuses is the attempt's failure, unless
/// `refused` lets it pass.
pub(super) async fn confirm_all(
    record: Record,
    refused: &(impl Fn(Error) -> Result<(), Box<Reason>> + Sync),
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<(), Unconfirmed> {
    for sent in record.sent {
        confirm(sent, refused, endpoint, stopping).await?;
    }
    for awaited in record.awaited {
        // An error means that its sender had the outcome.
        if let Ok(sent) = awaited.await {
            confirm(sent, refused, endpoint, stopping).await?;
        }
    }
    Ok(())
}

async fn confirm(
    sent: Sent,
    refused: &(impl Fn(Error) -> Result<(), Box<Reason>> + Sync),
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<(), Unconfirmed> {
    let Sent { message, posted, mut confirm } = sent;
    let outcome = match (&mut confirm).await {
        PublishOutcome::NotSent(_) | PublishOutcome::Unknown(_) => {
            Box::pin(insist(message, endpoint, stopping)).await.map_err(|Stopped| Unconfirmed::Stopped)?
        }
        outcome => outcome,
    };
    confirm.sending.end(&outcome);
    Error::of_outcome(outcome, || posted).or_else(refused).map_err(Unconfirmed::Refused)
}

use super::{Class, Outgoing, PublishOutcome, Publisher, SettleOutcome, Settlement, Unsettled};

/// Moves a message on a broker that cannot do it in one step: sends the copy, waits until the broker has
/// it, and only then completes the original. A crash in between leaves both; never neither.
///
/// # Errors
/// The delivery, still unsettled, with what became of the copy, unless the copy was confirmed.
pub async fn copy_confirm_complete(
    publisher: &dyn Publisher,
    unsettled: Unsettled,
    copy: Outgoing,
) -> Result<SettleOutcome, (Unsettled, PublishOutcome)> {
    let permit = publisher.ready(copy.body.len(), Class::Handler).await;
    match publisher.submit(permit, copy).await {
        PublishOutcome::Confirmed => Ok(unsettled.settle(Settlement::Complete).await),
        outcome => Err((unsettled, outcome)),
    }
}

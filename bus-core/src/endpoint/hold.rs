use std::time::Duration;

use super::{Stopped, Stopping, Trouble};
use crate::{
    clock::Clock,
    consumer::EndpointContext,
    transport::{Class, Outgoing, PublishOutcome},
};

/// Growing pauses while the broker cannot be reached: from 50 ms to 1 s, spread by chance.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    pub(crate) fn next(&mut self, clock: &Clock) -> Duration {
        let pause = Duration::from_millis(50).saturating_mul(1 << self.tries.min(5)).min(Duration::from_secs(1));
        self.tries += 1;
        pause.mul_f64(0.75 + 0.25 * clock.chance())
    }
}

/// Sends a message of the bus's own, again and again with the same id, until the broker took or refused it.
///
/// # Errors
/// [`Stopped`] if the endpoint stopped first.
pub(crate) async fn insist(
    message: Outgoing,
    endpoint: &EndpointContext,
    stopping: &Stopping,
) -> Result<PublishOutcome, Stopped> {
    let outlet = &endpoint.outlet;
    let mut outage = Backoff::default();
    let mut holding = None;
    loop {
        let mut once = message.clone();
        once.deadline = outlet.clock.after(outlet.timeout);
        let permit = outlet.publisher().ready(once.body.len(), Class::Handler).await;
        match outlet.publisher().submit(permit, once).await {
            PublishOutcome::NotSent(reason) | PublishOutcome::Unknown(reason) => {
                let message_id = message.message_id.as_deref();
                tracing::debug!(
                    endpoint = &*endpoint.name,
                    address = %message.to,
                    message_id,
                    error = %reason,
                    "a message could not be sent: it is held, and sent again with the same id"
                );
                let why = format!("a message for {} could not be sent: {reason}", message.to);
                endpoint.status.hold(&mut holding, Trouble::Away, why);
            }
            outcome => return Ok(outcome),
        }
        if stopping.or_rest(&outlet.clock, outage.next(&outlet.clock)).await {
            return Err(Stopped);
        }
    }
}

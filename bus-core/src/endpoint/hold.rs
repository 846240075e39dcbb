use std::time::Duration;

use tokio::sync::watch;

use crate::{
    clock::Clock,
    consumer::EndpointContext,
    transport::{Class, Outgoing, PublishOutcome},
};

/// The endpoint stopped before the work was done; the delivery goes back to its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Tells a delivery's work that its endpoint stops.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn new(signal: watch::Receiver<bool>) -> Self {
        Self(signal)
    }

    /// Waits for the stop; a signal whose sender is gone is a stop too.
    pub(crate) async fn signalled(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether the endpoint stops.
    pub(crate) fn is_signalled(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Rests, unless the endpoint stops: whether it does.
    pub(crate) async fn or_rest(&mut self, clock: &Clock, pause: Duration) -> bool {
        let until = clock.after(pause);
        tokio::select! {
            biased;
            () = self.signalled() => true,
            () = clock.rest_until(until) => false,
        }
    }
}

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
    stopping: &mut Stopping,
) -> Result<PublishOutcome, Stopped> {
    let outlet = &endpoint.outlet;
    let mut outage = Backoff::default();
    let mut _holding = None;
    loop {
        let mut once = message.clone();
        once.deadline = outlet.clock.after(outlet.timeout);
        let permit = outlet.publisher().ready(once.body.len(), Class::Handler).await;
        match outlet.publisher().submit(permit, once).await {
            PublishOutcome::NotSent(reason) | PublishOutcome::Unknown(reason) => {
                let message_id = message.message_id.as_deref();
                tracing::warn!(endpoint = &*endpoint.name, to = %message.to, message_id, %reason, "held: sending again");
                _holding =
                    Some(endpoint.status.hold(format!("a message for {} could not be sent: {reason}", message.to)));
            }
            outcome => return Ok(outcome),
        }
        if stopping.or_rest(&outlet.clock, outage.next(&outlet.clock)).await {
            return Err(Stopped);
        }
    }
}

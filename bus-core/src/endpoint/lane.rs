use std::{
    future::{Future, pending},
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use super::at_work::Ended;
use crate::{clock::Clock, transport::Lane};

/// A lane whose delivery came to its end.
#[derive(Debug)]
pub(super) struct FreeLane {
    pub(super) lane: Lane,
    /// It was not settled, or not in time, and comes again.
    pub(super) returned: bool,
}

/// A delivery of a lane at work; frees the lane when it ends, however it does.
#[derive(Debug)]
pub(super) struct InLane {
    lane: Lane,
    returned: bool,
    revoked: oneshot::Receiver<Instant>,
    freed: mpsc::UnboundedSender<FreeLane>,
}

impl InLane {
    /// `revoked` tells when the lane goes to another receiver, if it does.
    pub(super) fn new(lane: Lane, revoked: oneshot::Receiver<Instant>, freed: mpsc::UnboundedSender<FreeLane>) -> Self {
        Self { lane, returned: true, revoked, freed }
    }

    /// Handles the delivery as long as the lane is ours. Its handler is dropped when it is not: another receiver
    /// has the message then, and nothing can be settled here.
    pub(super) async fn run(mut self, delivered: impl Future<Output = Ended>, clock: &Clock, endpoint: &str) -> Ended {
        let ended = tokio::select! {
            biased;
            ended = delivered => ended,
            () = over(&mut self.revoked, clock) => {
                tracing::warn!(
                    endpoint,
                    lane = &*self.lane.0,
                    "a message was handled until its lane went to another receiver: its handler is cancelled, and it comes again"
                );
                Ended::Returned
            }
        };
        self.returned = ended != Ended::Settled;
        ended
    }
}

impl Drop for InLane {
    fn drop(&mut self) {
        // The pump may be gone.
        let _ = self.freed.send(FreeLane { lane: self.lane.clone(), returned: self.returned });
    }
}

/// Returns when the lane is not ours any more.
async fn over(revoked: &mut oneshot::Receiver<Instant>, clock: &Clock) {
    match revoked.await {
        Ok(deadline) => clock.sleep_until(deadline).await,
        // Nobody will say so: the subscription is lost or ends, and the handler may finish.
        Err(_) => pending().await,
    }
}

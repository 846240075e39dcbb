//! What a broker loses without a word is brought about again from time to time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::lifecycle::chain;
use crate::{
    endpoint::Status,
    send::Outlet,
    topology::Topology,
    transport::{ApplyMode, Outage, TransportError},
};

/// Why the last round failed, if it did.
pub(super) type Problem = Arc<Mutex<Option<String>>>;

/// After a round that found no connection: health is not to complain of it when there is one again.
const AWAY: Duration = Duration::from_secs(1);

/// After a round that the broker refused.
const REFUSED: Duration = Duration::from_secs(10);

/// Declares everything again and again, for ever, with a `pause` before each round.
pub(super) async fn rounds(
    outlet: Arc<Outlet>,
    topology: Topology,
    problem: Problem,
    pause: Duration,
    statuses: Vec<Arc<Status>>,
) {
    let (mut outage, mut next) = (Outage::default(), pause);
    loop {
        outlet.clock.sleep(next).await;
        statuses.iter().for_each(|status| status.round());
        let failed = outlet.transport().apply(&topology, ApplyMode::Create).await.err();
        let now = outlet.clock.now();
        match &failed {
            Some(error) if outage.begin(now) => {
                let error = chain(error);
                tracing::warn!(error, "queues and bindings could not be brought about again: tried at each round");
            }
            Some(_) => {}
            None => {
                if let Some(after) = outage.end(now) {
                    tracing::info!(?after, "queues and bindings are as they should be again");
                }
            }
        }
        next = match &failed {
            None => pause,
            Some(TransportError::Disconnected { .. }) => pause.min(AWAY),
            Some(_) => pause.min(REFUSED),
        };
        *problem.lock().unwrap_or_else(PoisonError::into_inner) = failed.map(|error| error.to_string());
    }
}

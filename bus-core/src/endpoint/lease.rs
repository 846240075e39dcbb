use std::time::Instant;

use crate::{
    clock::Clock,
    transport::{Lease, Renewer},
};

/// Keeps a lease as long as the transport renews it; returns when it is over.
pub(super) async fn over(mut lease: Lease, renewer: Renewer, clock: &Clock) {
    loop {
        let now = clock.now();
        clock.sleep_until(now + lease.until.saturating_duration_since(now) / 2).await;
        match by(clock, lease.until, &renewer).await {
            Some(longer) if longer.until > lease.until => lease = longer,
            // Not to be had longer: it is ours until its end.
            _ => {
                clock.sleep_until(lease.until).await;
                return;
            }
        }
    }
}

/// Asks for a longer lease, and no longer than the one there is.
pub(super) async fn by(clock: &Clock, until: Instant, renewer: &Renewer) -> Option<Lease> {
    clock.by(until, renewer.renew()).await.ok().flatten()
}

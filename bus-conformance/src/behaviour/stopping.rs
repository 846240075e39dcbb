use std::collections::BTreeSet;

use futures_util::FutureExt;

use crate::{
    Place, eventually,
    messages::Ticked,
    probe::{Probe, watched},
    soon,
};

/// `stop()` waits for the handlers that run and acknowledges their messages; what they had not begun goes
/// back to the queue, and nothing is handled twice.
pub async fn stop_finishes_what_runs_and_returns_the_rest(place: Place) {
    let (first, second) = (Probe::closed(), Probe::open());
    let bus =
        place.started(|b| b.endpoint("work", |e| e.consumer(watched!(first, Ticked)).prefetch(6).concurrency(2))).await;
    for number in 0..6 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let mut finished: BTreeSet<_> = first.take(2).await.into_iter().map(|ticked| ticked.number).collect();
    let mut stop = Box::pin(bus.stop());
    assert!((&mut stop).now_or_never().is_none(), "it waits for the handlers");
    // A second caller waits for the same stop.
    let again = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    // The caller goes away; the stop goes on.
    drop(stop);
    eventually("the endpoint to stop", || bus.health().endpoints[0].problem.as_deref() == Some("stopping")).await;
    first.let_through(2);
    soon("the stop", again).await.unwrap();
    soon("the stop", bus.stop()).await;
    assert_eq!(first.left().await, 0, "nothing was begun after the stop");

    let other = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(second, Ticked)))).await;
    for ticked in second.take(4).await {
        assert!(finished.insert(ticked.number), "{ticked:?} was handled twice");
    }
    assert_eq!(finished, (0..6).collect());
    other.stop().await;
    assert_eq!(second.left().await, 0);
}

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bus_core::{Builder, Retry, consumer::Context};
use futures_util::FutureExt;

use crate::{
    Place, eventually,
    messages::Ticked,
    probe::{Handled, Probe, watched},
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

/// Who waits for another try when the bus stops goes back at once, and so does what was not begun; neither is lost,
/// and neither counts as failed.
pub async fn stop_returns_what_pauses_before_a_retry(place: Place) {
    // What is behind the one that runs cannot go elsewhere before it.
    if !place.capabilities().individual_settlement {
        return;
    }
    let (running, second) = (Probe::closed(), Probe::open());
    let (paused, mut pausing) = tokio::sync::mpsc::unbounded_channel();
    let (runs, begun) = (running.handler(), AtomicU32::new(0));
    let choose = move |message: Ticked, ctx: Context| -> Handled {
        if begun.fetch_add(1, Ordering::SeqCst) > 0 {
            return runs(message, ctx);
        }
        // Whoever watched may be gone.
        let _ = paused.send(message.number);
        Box::pin(async { Err("not yet".into()) })
    };
    let retry = Retry::interval(1, Duration::from_secs(3600));
    let bus =
        place.started(|b| b.endpoint("work", |e| e.retry(retry).consumer(choose).prefetch(6).concurrency(2))).await;
    for number in 0..6 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let paused = soon("the one that fails", pausing.recv()).await.unwrap();
    let finished = running.next().await.message.number;
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    // All but the one that runs are there for others while it does.
    let other = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(second, Ticked)))).await;
    let mut rest = BTreeSet::new();
    for _ in 0..5 {
        let seen = second.next().await;
        assert_eq!(seen.ctx.attempt(), 0, "a try that was begun elsewhere does not count");
        assert!(rest.insert(seen.message.number), "{:?} was handled twice", seen.message);
    }
    assert!(rest.contains(&paused) && !rest.contains(&finished), "{rest:?}");
    running.let_through(1);
    soon("the stop", stop).await.unwrap();
    other.stop().await;
    assert_eq!((running.left().await, second.left().await), (0, 0));
    let transport = place.transport().await;
    for queue in ["work", "work_error"] {
        assert_eq!(transport.browse(queue, 10).await.unwrap().len(), 0, "{queue}");
    }
}

/// Handlers may be given an hour to finish; where none runs, nobody waits for it.
pub async fn a_stop_with_nothing_running_is_quick_and_a_second_one_harmless(place: Place) {
    let probe = Probe::open();
    let idle = |b: Builder| {
        b.stop_timeout(Duration::from_secs(3600)).endpoint("work", |e| e.consumer(watched!(probe, Ticked)))
    };
    let bus = place.started(idle).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    soon("the stop of an idle bus", bus.stop()).await;
    soon("a second stop", bus.stop()).await;
    soon("the stop of a bus that never started", place.bus(idle).stop()).await;
    // Neither did any harm to what others do there.
    let other = place.started(idle).await;
    bus.stop().await;
    other.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 2 });
    soon("the last stop", other.stop()).await;
}

/// What a bus held when it was dropped, begun or not, is there for the next one.
pub async fn a_bus_that_is_dropped_returns_what_it_held(place: Place) {
    let (held, handled) = (Probe::closed(), Probe::open());
    let doomed =
        place.started(|b| b.endpoint("work", |e| e.consumer(watched!(held, Ticked)).prefetch(4).concurrency(2))).await;
    for number in 0..6 {
        doomed.publish(Ticked { number }).await.unwrap();
    }
    held.take(2).await;
    drop(doomed);
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(handled, Ticked)))).await;
    let numbers: BTreeSet<_> = handled.take(6).await.into_iter().map(|ticked| ticked.number).collect();
    assert_eq!(numbers, (0..6).collect());
    bus.stop().await;
    assert_eq!((held.left().await, handled.left().await), (0, 0));
}

//! Time on a harness passes when the test says so.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_core::{
    Retry,
    clock::Clock,
    consumer::{Context, Failure},
};

use crate::shop::{Submitted, harness};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn retries_wait_for_the_clock_and_happen_when_it_is_moved() {
    let seen: Arc<Mutex<Vec<u32>>> = Arc::default();
    let noted = seen.clone();
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            // One place, and one message at hand: what waits for the clock keeps it.
            e.concurrency(1).prefetch(1).retry(Retry::interval(3, HOUR)).consumer(move |_: Submitted, ctx: Context| {
                noted.lock().unwrap().push(ctx.attempt());
                async move { if ctx.attempt() < 2 { Err(Failure::from("not yet")) } else { Ok(()) } }
            })
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.settled().await;
    assert_eq!(*seen.lock().unwrap(), [0]);
    h.advance(HOUR - Duration::from_millis(1)).await;
    assert_eq!(*seen.lock().unwrap(), [0]);
    h.advance(Duration::from_millis(1)).await;
    assert_eq!(*seen.lock().unwrap(), [0, 1]);
    h.consumed::<Submitted>().none();
    h.advance(10 * HOUR).await;
    let consumed = h.consumed::<Submitted>().one();
    assert_eq!((consumed.attempts, consumed.after), (3, 2 * HOUR));
    assert_eq!(
        h.trace(),
        "the test publishes Submitted\n\
         orders fails Submitted (a closure), attempt 1, and retries: not yet\n\
         -- 3600s later\n\
         orders fails Submitted (a closure), attempt 2, and retries: not yet\n\
         -- 3600s later\n\
         orders consumes Submitted (a closure), attempt 3\n"
    );
}

#[tokio::test]
async fn a_year_passes_in_no_time() {
    let real = Clock::real();
    let h = harness(|b| b.endpoint("orders", |e| e.consumer(async |_: Submitted| Ok::<(), Failure>(())))).await;
    let (start, began) = (h.clock().now(), real.now());
    h.advance(24 * HOUR).await;
    assert_eq!(h.clock().now() - start, 24 * HOUR);
    assert!(real.now() - began < Duration::from_secs(60), "the topology is looked at once a minute, and no more");
}

#[tokio::test]
async fn a_timeout_comes_when_the_clock_is_moved_though_the_handler_waits_for_something_else() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.timeout(HOUR).retry(Retry::interval(1, HOUR)).consumer(async |_: Submitted| {
                std::future::pending::<()>().await;
                Ok::<(), Failure>(())
            })
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.advance(4 * HOUR).await;
    let faulted = h.faulted::<Submitted>().one();
    assert_eq!((faulted.attempts, faulted.after), (2, 3 * HOUR));
    assert!(faulted.error.as_deref().unwrap().contains("did not finish within its timeout of 3600s"), "{faulted:?}");
}

#[tokio::test]
async fn a_handler_under_a_timeout_that_goes_on_by_itself_is_waited_for() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.timeout(HOUR).consumer(async |_: Submitted, ctx: Context| {
                for number in 0..50 {
                    tokio::task::yield_now().await;
                    ctx.publish(crate::shop::Reserve { number }).await?;
                }
                Ok::<(), Failure>(())
            })
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.advance(2 * HOUR).await;
    assert_eq!(h.consumed::<Submitted>().one().after, Duration::ZERO);
}

#[tokio::test]
async fn a_redelivery_comes_when_the_clock_is_moved_and_shows_in_the_trace() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.redeliver([HOUR]).consumer(async |_: Submitted, ctx: Context| {
                if ctx.redelivery_count() == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
            })
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.settled().await;
    h.consumed::<Submitted>().none();
    h.faulted::<Submitted>().none();
    h.advance(2 * HOUR).await;
    assert_eq!(h.consumed::<Submitted>().one().after, HOUR);
    assert_eq!(
        h.trace(),
        "the test publishes Submitted\n\
         orders fails Submitted (a closure), attempt 1, and retries: not yet\n\
         orders puts a message off, round 1: not yet\n\
         -- 3600s later\n\
         orders consumes Submitted (a closure)\n"
    );
}

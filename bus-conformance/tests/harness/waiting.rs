//! What waits behind others on a clock that is moved by hand.

use std::time::Duration;

use bus_core::{
    Retry,
    consumer::{Context, Failure},
};

use crate::shop::{Submitted, harness};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_under_a_timeout_that_goes_on_by_itself_is_waited_for_on_several_threads() {
    for round in 0..300 {
        let h = harness(|b| {
            b.endpoint("orders", |e| {
                e.timeout(SECOND).consumer(async |_: Submitted| {
                    for _ in 0..20 {
                        tokio::task::yield_now().await;
                    }
                    Ok::<(), Failure>(())
                })
            })
        })
        .await;
        for number in 0..8 {
            h.publish(Submitted { number }).await;
        }
        h.advance(2 * SECOND).await;
        assert_eq!(h.consumed::<Submitted>().len(), 8, "round {round}: {}", h.trace());
    }
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_retry_waits_for_the_clock() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.with(bus_inmemory::endpoint().lease(10 * SECOND)).retry(Retry::interval(1, 60 * SECOND)).consumer(
                async |_: Submitted, ctx: Context| {
                    if ctx.attempt() == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
                },
            )
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.advance(120 * SECOND).await;
    let consumed = h.consumed::<Submitted>().one();
    assert_eq!((consumed.attempts, consumed.after), (2, 60 * SECOND), "{}", h.trace());
}

#[tokio::test]
async fn a_message_that_waits_behind_one_that_waits_for_the_clock_is_settled() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.concurrency(1).retry(Retry::interval(1, 60 * SECOND)).consumer(async |_: Submitted, ctx: Context| {
                if ctx.attempt() == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
            })
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.publish(Submitted { number: 2 }).await;
    h.settled().await;
}

#[tokio::test]
async fn a_message_that_waits_for_a_consumers_place_does_not_stop_the_time() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.consumer_with(
                async |_: Submitted| {
                    std::future::pending::<()>().await;
                    Ok::<(), Failure>(())
                },
                |c| c.concurrency(1).timeout(SECOND),
            )
        })
    })
    .await;
    h.publish(Submitted { number: 1 }).await;
    h.publish(Submitted { number: 2 }).await;
    h.advance(10 * SECOND).await;
    assert_eq!(h.faulted::<Submitted>().len(), 2, "{}", h.trace());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_waits_behind_others_is_not_settled_early_on_several_threads() {
    for round in 0..200 {
        let h = harness(|b| {
            b.endpoint("orders", |e| {
                e.concurrency(1 + round % 3).prefetch(8).retry(Retry::interval(1, SECOND)).consumer(
                    async |order: Submitted, ctx: Context| {
                        if order.number.is_multiple_of(5) && ctx.attempt() == 0 {
                            return Err(Failure::from("not yet"));
                        }
                        tokio::task::yield_now().await;
                        Ok(())
                    },
                )
            })
        })
        .await;
        for number in 1..=12 {
            h.publish(Submitted { number }).await;
        }
        h.settled().await;
        let places = usize::from(1 + round % 3);
        // With one place, the fifth stops all that come after it.
        let all_stopped = if places == 1 {
            4
        } else if places == 2 {
            8
        } else {
            10
        };
        assert_eq!(h.consumed::<Submitted>().len(), all_stopped, "round {round}: {}", h.trace());
        h.advance(10 * SECOND).await;
        assert_eq!(h.consumed::<Submitted>().len(), 12, "round {round}: {}", h.trace());
    }
}

#[tokio::test]
async fn a_message_whose_lease_was_over_before_it_was_begun_did_not_end_a_process() {
    let h = harness(|b| {
        b.endpoint("orders", |e| {
            e.with(bus_inmemory::endpoint().lease(10 * SECOND))
                .concurrency(1)
                .prefetch(12)
                .retry(Retry::interval(1, 60 * SECOND))
                .consumer(
                    async |_: Submitted, ctx: Context| {
                        if ctx.attempt() == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
                    },
                )
        })
    })
    .await;
    for number in 0..64 {
        h.publish(Submitted { number }).await;
    }
    for number in 64..464 {
        h.advance(60 * SECOND).await;
        h.publish(Submitted { number }).await;
    }
    h.advance(100 * 60 * SECOND).await;
    h.faulted::<Submitted>().none();
    assert_eq!(h.consumed::<Submitted>().len(), 464);
}

//! When a harness is settled.

use bus_conformance::Probe;
use bus_core::consumer::{Context, Failure};
use futures_util::FutureExt;

use crate::shop::{Reserve, Submitted, harness};

#[tokio::test]
async fn a_chain_of_messages_is_handled_to_its_end() {
    let h = harness(|b| {
        b.endpoint("countdown", |e| {
            e.concurrency(1).prefetch(1).consumer(async |order: Submitted, ctx: Context| {
                // Two for one, so that there is always more than what is at hand.
                for _ in 0..if order.number > 0 { 2 } else { 0 } {
                    ctx.publish(Submitted { number: order.number - 1 }).await?;
                }
                Ok::<(), Failure>(())
            })
        })
    })
    .await;
    h.publish(Submitted { number: 7 }).await;
    h.settled().await;
    assert_eq!(h.consumed::<Submitted>().len(), 255);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_exact_on_several_threads_too() {
    for _ in 0..20 {
        let h = harness(|b| {
            let relay = async |order: Submitted, ctx: Context| {
                if order.number > 0 {
                    ctx.publish(Submitted { number: order.number - 1 }).await?;
                }
                Ok::<(), Failure>(())
            };
            b.endpoint("first", move |e| e.consumer(relay)).endpoint("other", |e| {
                e.consumer(async |_: Submitted| {
                    tokio::task::yield_now().await;
                    Ok::<(), Failure>(())
                })
            })
        })
        .await;
        h.publish(Submitted { number: 20 }).await;
        h.settled().await;
        assert_eq!(h.consumed::<Submitted>().len(), 42);
    }
}

#[tokio::test]
async fn a_handler_at_work_is_not_settled_until_its_message_is() {
    let probe = Probe::<Submitted>::closed();
    let h = harness(|b| b.endpoint("orders", |e| e.consumer(probe.handler()))).await;
    h.settled().now_or_never().expect("nothing is there");
    h.publish(Submitted { number: 1 }).await;
    assert!(h.settled().now_or_never().is_none(), "on its way");
    probe.next().await;
    assert!(h.settled().now_or_never().is_none(), "at work");
    probe.let_through(1);
    h.settled().await;
    assert_eq!(h.consumed::<Submitted>().len(), 1);
}

#[tokio::test]
async fn absence_is_known_at_once() {
    let h = harness(|b| b.endpoint("orders", |e| e.consumer(async |_: Submitted| Ok::<(), Failure>(())))).await;
    // Not a moment is waited for: it is ready when it is first looked at.
    h.settled().now_or_never().expect("nothing is there");
    h.published::<Reserve>().none();
}

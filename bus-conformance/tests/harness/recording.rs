//! What the harness remembers.

use std::panic::AssertUnwindSafe;

use bus_core::{
    Retry,
    consumer::{Context, Failure},
    fault::Fault,
};
use futures_util::FutureExt;

use crate::shop::{Reserve, Submitted, harness};

async fn reserve(order: Submitted, ctx: Context) -> Result<(), Failure> {
    match order.number {
        0 => Err("nothing to reserve".into()),
        1 => ctx.send("queue:stock", Reserve { number: 1 }).await.map_err(Failure::from),
        number => ctx.publish(Reserve { number }).header("tenant", "north").await.map_err(Failure::from),
    }
}

#[tokio::test]
async fn messages_are_found_by_type_and_by_what_became_of_them() {
    let h = harness(|b| {
        b.endpoint("orders", |e| e.consumer(reserve).retry(Retry::immediate(1)))
            .endpoint("stock", |e| e.consumer(async |_: Reserve| Ok::<(), Failure>(())))
    })
    .await;
    for number in 0..3 {
        h.publish(Submitted { number }).await;
    }
    h.settled().await;

    assert_eq!(h.published::<Submitted>().messages(), [0, 1, 2].map(|number| Submitted { number }));
    let published = h.published::<Reserve>().one();
    assert_eq!((published.number, published.endpoint.as_deref()), (2, Some("orders")));
    assert_eq!(published.headers()["tenant"], "north");
    let sent = h.sent::<Reserve>().one();
    assert_eq!(sent.number, 1);
    assert!(sent.address.as_deref().unwrap().contains("/stock"), "{sent:?}");
    assert_eq!(h.consumed::<Submitted>().messages(), [1, 2].map(|number| Submitted { number }));
    assert_eq!(h.consumed::<Reserve>().len(), 2);
    let faulted = h.faulted::<Submitted>().one();
    assert_eq!((faulted.number, faulted.attempts), (0, 2));
    assert_eq!(faulted.error.as_deref(), Some("nothing to reserve"));
    assert_eq!(h.published::<Fault<Submitted>>().one().message.message.number, 0);
    assert_eq!(h.dead_letters("orders").await[0].fault_message(), Some("nothing to reserve"));
    h.faulted::<Reserve>().none();
}

#[tokio::test]
async fn the_trace_tells_everything_in_order() {
    let h = harness(|b| {
        b.endpoint("orders", |e| e.consumer(reserve).retry(Retry::immediate(1)))
            .endpoint("stock", |e| e.consumer(async |_: Reserve| Ok::<(), Failure>(())))
    })
    .await;
    for number in [1, 0] {
        h.publish(Submitted { number }).await;
        h.settled().await;
    }
    h.send("queue:stock", Submitted { number: 9 }).await;
    h.settled().await;
    let expected = "\
        the test publishes Submitted\n\
        orders sends Reserve to stock\n\
        orders consumes Submitted (reserve)\n\
        stock consumes Reserve (a closure)\n\
        the test publishes Submitted\n\
        orders fails Submitted (reserve), attempt 1, and retries: nothing to reserve\n\
        orders fails Submitted (reserve), attempt 2, and gives up: nothing to reserve\n\
        orders publishes Fault of Submitted\n\
        orders moves a message to orders_error: nothing to reserve\n\
        the test sends Submitted to stock\n\
        stock moves a message to stock_skipped: no consumer takes its type\n";
    assert_eq!(h.trace(), expected);
}

#[tokio::test]
async fn what_is_missing_is_told_with_everything_that_happened() {
    let h = harness(|b| b.endpoint("orders", |e| e.consumer(reserve))).await;
    h.publish(Submitted { number: 2 }).await;
    h.settled().await;
    let said = async |look: &dyn Fn()| {
        let panic = AssertUnwindSafe(async { look() }).catch_unwind().await.unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap()
    };
    let said_of_none = said(&|| drop(h.sent::<Reserve>().one())).await;
    assert!(said_of_none.starts_with("expected one sent "), "{said_of_none}");
    assert!(said_of_none.contains("found 0") && said_of_none.contains("orders publishes Reserve"), "{said_of_none}");
    let said_of_one = said(&|| h.published::<Reserve>().none()).await;
    assert!(said_of_one.starts_with("expected no published ") && said_of_one.contains("found 1"), "{said_of_one}");
}

use std::time::Duration;

use bus_core::consumer::Context;

use crate::{
    Place, lying,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
};

/// A handler that never comes to an end fails at its timeout, and the next message is handled in its place.
pub async fn a_timeout_ends_a_handler_that_hangs_and_frees_its_place(place: Place) {
    let (hanging, quick) = (Probe::closed(), Probe::open());
    let (hangs, goes_on) = (hanging.handler(), quick.handler());
    let choose = move |message: Ticked, ctx: Context| {
        if message.number == 1 { hangs(message, ctx) } else { goes_on(message, ctx) }
    };
    let bus = place
        .started(|b| b.endpoint("work", |e| e.concurrency(1).timeout(Duration::from_millis(20)).consumer(choose)))
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    hanging.next().await;
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(quick.next().await.message, Ticked { number: 2 });
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap_or_default();
    assert!(said.contains("did not finish within its timeout of 20ms"), "{said}");
    bus.stop().await;
    assert_eq!((hanging.left().await, quick.left().await), (0, 0));
}

/// A consumer with a limit of its own keeps its own messages waiting, and those of its endpoint's others not.
pub async fn a_consumer_that_hangs_in_its_limit_does_not_hold_up_the_other(place: Place) {
    let (limited, free) = (Probe::closed(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.concurrency(4)
                    .prefetch(4)
                    .consumer_with(watched!(limited, Ticked), |c| c.concurrency(1))
                    .consumer(watched!(free, Tocked))
            })
        })
        .await;
    for number in 1..=2 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    limited.next().await;
    for number in 1..=10 {
        bus.publish(Tocked { number }).await.unwrap();
    }
    free.take(10).await;
    assert_eq!(limited.left().await, 0, "the second one waits for the first");
    limited.let_through(2);
    limited.next().await;
    bus.stop().await;
    assert_eq!((limited.left().await, free.left().await), (0, 0));
}

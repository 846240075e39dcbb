use std::collections::BTreeSet;

use bus_core::{
    Builder,
    consumer::{Context, Failure},
};
use futures_util::future::{join_all, try_join_all};

use crate::{
    Place, lying,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
};

/// A crowd of messages under way at once: none is lost, none comes twice, each comes where it was sent.
pub async fn a_thousand_messages_through_ten_endpoints_arrive_once_each(place: Place) {
    const ENDPOINTS: u32 = 10;
    const MESSAGES: u32 = 1000;
    let probe = Probe::open();
    let queue = |number: u32| format!("work-{}", number % ENDPOINTS);
    let bus = place
        .started(|b| {
            (0..ENDPOINTS).fold(b, |b, number| b.endpoint(queue(number), |e| e.consumer(watched!(probe, Ticked))))
        })
        .await;
    let send = async |number| bus.send(format!("queue:{}", queue(number)), Ticked { number }).await;
    try_join_all((0..MESSAGES).map(send)).await.unwrap();
    let mut missing = BTreeSet::from_iter(0..MESSAGES);
    while !missing.is_empty() {
        let seen = probe.next().await;
        assert!(missing.remove(&seen.message.number), "{:?} came twice", seen.message);
        assert_eq!(seen.ctx.endpoint(), queue(seen.message.number));
    }
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Tasks that publish through one bus do not get in each other's way.
pub async fn publishing_from_many_tasks_loses_nothing(place: Place) {
    const TASKS: u32 = 32;
    const EACH: u32 = 20;
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)))).await;
    let tasks = (0..TASKS).map(|task| {
        let bus = bus.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                bus.publish(Ticked { number: task * EACH + number }).await.unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let mut missing = BTreeSet::from_iter(0..TASKS * EACH);
    while !missing.is_empty() {
        let message = probe.next().await.message;
        assert!(missing.remove(&message.number), "{message:?} came twice");
    }
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Whichever of a handler's messages reaches no queue, its own message fails; if all of them do, they are in
/// the broker's hands when it is done.
pub async fn a_hundred_messages_of_a_handler_are_confirmed_before_its_own_is_completed(place: Place) {
    const MESSAGES: u32 = 100;
    let (probe, sunk) = (Probe::open(), Probe::open());
    let sink = |b: Builder| b.endpoint("sink", |e| e.consumer(watched!(sunk, Tocked)));
    place.started(sink).await.stop().await;
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(move |message: Ticked, ctx: Context| {
                    let watched = watched.clone();
                    async move {
                        for number in 0..MESSAGES {
                            let to = if number == message.number { "queue:nobody" } else { "queue:sink" };
                            ctx.send(to, Tocked { number }).await?;
                        }
                        watched.handle(message, ctx).await?;
                        Ok::<(), Failure>(())
                    }
                })
            })
        })
        .await;
    let transport = place.transport().await;
    for number in [0, MESSAGES - 1] {
        bus.publish(Ticked { number }).await.unwrap();
        probe.next().await;
    }
    lying(&*transport, "work_error", 2).await;
    bus.publish(Ticked { number: MESSAGES }).await.unwrap();
    probe.next().await;
    bus.stop().await;
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0, "its own message is completed");
    assert_eq!(transport.browse("sink", 1000).await.unwrap().len(), 99 + 99 + 100);
}

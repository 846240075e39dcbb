use std::time::Duration;

use bus_core::Builder;

use crate::{
    Place,
    lying::left_lying,
    messages::Ticked,
    probe::{Probe, watched},
};

/// After its time to live nobody needs a message, and nobody gets it; others are not touched.
pub async fn an_expired_message_is_not_handled(place: Place) {
    let probe = Probe::open();
    let late = |b: Builder| b.endpoint("late", |e| e.consumer(watched!(probe, Ticked)).concurrency(1));
    place.started(late).await.stop().await;
    let sender = place.started(|b| b).await;
    sender.publish(Ticked { number: 1 }).time_to_live(Duration::from_millis(50)).await.unwrap();
    sender.publish(Ticked { number: 2 }).time_to_live(Duration::from_secs(3600)).await.unwrap();
    sender.publish(Ticked { number: 3 }).await.unwrap();
    sender.stop().await;
    left_lying(&*place.transport().await, "late", 2).await;
    let bus = place.started(late).await;
    let mut numbers: Vec<_> = probe.take(2).await.into_iter().map(|ticked| ticked.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Messages that need not survive a restart of the broker arrive like others, waiting or not.
pub async fn transient_messages_arrive(place: Place) {
    let probe = Probe::open();
    let work = |b: Builder| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)));
    let bus = place.started(work).await;
    bus.publish(Ticked { number: 1 }).transient().await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 1 });
    bus.stop().await;
    let sender = place.started(|b| b).await;
    sender.send("queue:work", Ticked { number: 2 }).transient().await.unwrap();
    sender.stop().await;
    let bus = place.started(work).await;
    assert_eq!(probe.next().await.message, Ticked { number: 2 });
    bus.stop().await;
}

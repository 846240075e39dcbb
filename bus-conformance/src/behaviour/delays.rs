use std::time::Duration;

use bus_core::{clock::Clock, transport::ReceiverSettings};

use crate::{
    Place,
    messages::Ticked,
    probe::{Probe, watched},
    put::{put, to},
    take::take,
};

/// Where the broker holds messages back: none comes before its time, and they come by their times, not by the order
/// in which they were sent.
pub async fn a_delayed_message_comes_when_its_time_has_come_and_behind_what_is_due_earlier(place: Place) {
    // Whole seconds: a broker may count in nothing smaller.
    const SOON: Duration = Duration::from_secs(1);
    const LATE: Duration = Duration::from_secs(2);
    if place.capabilities().delay_max.is_none_or(|longest| longest < LATE) {
        return;
    }
    let probe = Probe::open();
    place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)))).await.stop().await;
    let (transport, clock) = (place.transport().await, Clock::real());
    let begun = clock.now();
    for (body, delay) in [("late", Some(LATE)), ("soon", Some(SOON)), ("at once", None)] {
        let mut message = to("work", body);
        message.delay = delay;
        put(&*transport, message).await;
    }
    // On a machine that is so slow the late one may have been due first.
    let in_time = clock.now() + SOON < begun + LATE;
    let mut receiver = transport.receive(ReceiverSettings::new("work".into(), 3)).await.unwrap();
    let mut deliveries = Vec::new();
    while deliveries.len() < 3 {
        let delivery = take(&mut *receiver).await;
        let due = match &*delivery.body {
            b"late" => LATE,
            b"soon" => SOON,
            _ => Duration::ZERO,
        };
        assert!(clock.now() >= begun + due, "{:?} came before its time", delivery.body);
        deliveries.push(delivery);
    }
    let order: Vec<_> = deliveries.iter().map(|delivery| &*delivery.body).collect();
    assert!(!in_time || order == [&b"at once"[..], b"soon", b"late"], "{order:?}");
}

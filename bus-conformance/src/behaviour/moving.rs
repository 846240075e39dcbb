use bus_core::{Builder, consumer::Failure, transport::ReceiverSettings};

use crate::{Place, lying, messages::Ticked, take::take};

fn failing(b: Builder) -> Builder {
    b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into())))
}

/// Nobody declares `_error`: the first message that is moved there brings it about, and those that follow find it,
/// also those of another process.
pub async fn the_first_move_makes_the_error_queue_and_the_second_finds_it(place: Place) {
    let transport = place.transport().await;
    for count in 1..=3 {
        let bus = place.started(failing).await;
        bus.publish(Ticked { number: 1 }).await.unwrap();
        lying(&*transport, "work_error", count).await;
        bus.stop().await;
    }
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

/// A message that need not survive the broker's restart must do so once it failed; what its sender said of it stays.
pub async fn a_moved_message_is_durable_and_keeps_its_priority_and_media_type(place: Place) {
    let bus = place.started(failing).await;
    bus.publish(Ticked { number: 1 }).transient().priority(3).await.unwrap();
    let transport = place.transport().await;
    lying(&*transport, "work_error", 1).await;
    let mut receiver = transport.receive(ReceiverSettings::new("work_error".into(), 1)).await.unwrap();
    let moved = take(&mut *receiver).await;
    assert!(moved.durable);
    assert_eq!(moved.priority, Some(3));
    assert_eq!(moved.content_type.as_deref(), Some("application/vnd.masstransit+json"));
    bus.stop().await;
}

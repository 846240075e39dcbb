use std::time::Duration;

use bus_core::clock::Clock;
use bus_inmemory::endpoint;

use crate::fixture::{
    broker, broker_at, deliveries, lying, message, pass, queue, receiver, send, shown, submit, topology_with,
};

const SHORT: Duration = Duration::from_millis(2);

#[tokio::test]
async fn a_message_whose_time_is_over_is_not_delivered() {
    let (bus, clock) = (broker("expired", &["orders"], &[]).await, Clock::real());
    for (body, time_to_live) in [("a", None), ("b", Some(SHORT)), ("c", Some(Duration::MAX)), ("d", Some(SHORT))] {
        let mut sent = message(queue("orders"), body);
        sent.time_to_live = time_to_live;
        submit(&*bus, sent).await;
    }
    // Its time began before this: it is over at that deadline, not sooner or later.
    clock.sleep_until(clock.now() + SHORT).await;
    assert_eq!(lying(&*bus, "orders").await, ["a", "c"]);
    let mut consumer = receiver(&*bus, "orders", 10).await;
    assert_eq!(shown(&deliveries(&mut *consumer)), ["a", "c"]);
}

#[tokio::test]
async fn a_message_whose_time_ends_in_the_buffer_makes_room_for_the_next() {
    let (bus, clock) = (broker("buffer", &["orders"], &[]).await, Clock::real());
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let mut sent = message(queue("orders"), "late");
    sent.time_to_live = Some(SHORT);
    submit(&*bus, sent).await;
    send(&*bus, &queue("orders"), &["next"]).await;
    clock.sleep_until(clock.now() + SHORT).await;
    assert_eq!(shown(&deliveries(&mut *consumer)), ["next"]);
}

#[tokio::test]
async fn a_message_whose_time_is_over_takes_no_room_of_a_consumer() {
    let (bus, clock) = (broker("no-room", &["orders"], &[]).await, Clock::real());
    let mut sent = message(queue("orders"), "late");
    sent.time_to_live = Some(SHORT);
    submit(&*bus, sent).await;
    send(&*bus, &queue("orders"), &["next"]).await;
    clock.sleep_until(clock.now() + SHORT).await;
    let _consumer = receiver(&*bus, "orders", 1).await;
    assert_eq!(lying(&*bus, "orders").await, [""; 0], "the consumer's only place is taken by the other");
}

#[tokio::test]
async fn a_message_in_time_is_delivered() {
    let bus = broker("in-time", &["orders"], &[]).await;
    let mut sent = message(queue("orders"), "1");
    sent.time_to_live = Some(Duration::from_secs(3600));
    submit(&*bus, sent).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    assert_eq!(shown(&deliveries(&mut *consumer)), ["1"]);
}

#[tokio::test]
async fn in_a_queue_with_a_time_to_live_no_message_has_more() {
    let clock = Clock::manual(1);
    let second = Duration::from_secs(1);
    let wanted = topology_with(&[("orders", endpoint().time_to_live(3 * second))]);
    let bus = broker_at("of-the-queue", &clock, &wanted).await;
    for (body, time_to_live) in [("as the queue", None), ("more", Some(9 * second)), ("less", Some(2 * second))] {
        let mut sent = message(queue("orders"), body);
        sent.time_to_live = time_to_live;
        submit(&*bus, sent).await;
    }
    pass(&clock, 2 * second);
    assert_eq!(lying(&*bus, "orders").await, ["as the queue", "more"]);
    assert_eq!(clock.next_timer(), None, "nobody waits for it");
    pass(&clock, second);
    assert_eq!(lying(&*bus, "orders").await, [""; 0]);
}

#[tokio::test]
async fn a_message_without_any_time_never_arrives() {
    let clock = Clock::manual(1);
    let bus = broker_at("no-time", &clock, &topology_with(&[("orders", endpoint().dead_letter("late"))])).await;
    let mut consumer = receiver(&*bus, "orders", 9).await;
    let mut sent = message(queue("orders"), "1");
    sent.time_to_live = Some(Duration::ZERO);
    submit(&*bus, sent).await;
    assert_eq!((bus.in_flight(), lying(&*bus, "late").await), (Some(0), vec!["1".to_owned()]));
    assert_eq!(shown(&deliveries(&mut *consumer)), [""; 0]);
}

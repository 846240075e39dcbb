use std::time::Duration;

use bus_core::{
    clock::Clock,
    transport::{Settlement, Transport},
};

use crate::fixture::{broker, broker_at, deliveries, done, message, pass, queue, receiver, send, submit, topology};

fn in_flight(transport: &dyn Transport) -> usize {
    transport.in_flight().unwrap()
}

#[tokio::test]
async fn what_was_pushed_to_a_receiver_and_not_handed_out_is_in_flight() {
    let bus = broker("flight-pushed", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3", "4"]).await;
    assert_eq!(in_flight(&*bus), 0, "nobody receives");
    let mut consumer = receiver(&*bus, "orders", 3).await;
    assert_eq!(in_flight(&*bus), 3, "as many as it has room for");
    let mut handed_out = Vec::new();
    done(consumer.next(2, &mut handed_out)).await;
    assert_eq!(in_flight(&*bus), 1);
    let [first, second] = handed_out.try_into().unwrap();
    drop(first);
    assert_eq!(in_flight(&*bus), 2, "it is on its way again");
    done(consumer.next(2, &mut Vec::new())).await;
    drop(second);
    drop(consumer);
    assert_eq!(in_flight(&*bus), 0);
}

#[tokio::test]
async fn what_goes_back_is_no_longer_in_flight() {
    let bus = broker("flight-back", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    let mut paused = receiver(&*bus, "orders", 2).await;
    assert_eq!(in_flight(&*bus), 2);
    paused.pause();
    assert_eq!(in_flight(&*bus), 0);
    let closed = receiver(&*bus, "orders", 2).await;
    assert_eq!(in_flight(&*bus), 2);
    closed.close(Clock::real().now()).await;
    assert_eq!(in_flight(&*bus), 0);
    let _ended = receiver(&*bus, "orders", 2).await;
    assert_eq!(in_flight(&*bus), 2);
    bus.close(Clock::real().now()).await;
    assert_eq!(in_flight(&*bus), 0);
}

#[tokio::test]
async fn every_transport_counts_its_own_receivers() {
    let (one, two) = (broker("flight-own", &["a", "b"], &[]).await, broker("flight-own", &[], &[]).await);
    let first = receiver(&*one, "a", 9).await;
    let _others = (receiver(&*two, "a", 9).await, receiver(&*one, "b", 9).await);
    send(&*two, &queue("a"), &["1", "2", "3"]).await;
    send(&*two, &queue("b"), &["1"]).await;
    assert_eq!((in_flight(&*one), in_flight(&*two)), (3, 1));
    drop(first);
    assert_eq!((in_flight(&*one), in_flight(&*two)), (1, 3), "what it had went to the other");
}

#[tokio::test]
async fn what_expires_in_a_buffer_is_no_longer_in_flight_once_it_was_looked_at() {
    let clock = Clock::manual(1);
    let bus = broker_at("flight-expires", &clock, &topology(&["orders"], &[])).await;
    let mut consumer = receiver(&*bus, "orders", 3).await;
    for (body, time_to_live) in [("1", Some(Duration::from_secs(1))), ("2", None), ("3", Some(Duration::from_secs(1)))]
    {
        let mut sent = message(queue("orders"), body);
        sent.time_to_live = time_to_live;
        submit(&*bus, sent).await;
    }
    pass(&clock, Duration::from_secs(1));
    let [only] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!(in_flight(&*bus), 0);
    only.unsettled.settle(Settlement::Complete).await;
    send(&*bus, &queue("orders"), &["4"]).await;
    assert_eq!(in_flight(&*bus), 1);
}

use std::{sync::Arc, time::Duration};

use bus_core::{
    address::Destination,
    clock::Clock,
    transport::{ApplyMode, Event, PublishOutcome, Transport},
};

use crate::fixture::{
    broker, broker_at, deliveries, done, exchange, lying, message, pass, queue, receiver, shown, submit, topology,
};

const SECOND: Duration = Duration::from_secs(1);

async fn send_later(transport: &dyn Transport, to: Destination, body: &str, delay: Duration) {
    let mut late = message(to, body);
    late.delay = Some(delay);
    let outcome = submit(transport, late).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
}

async fn orders(name: &str) -> (Arc<dyn Transport>, Clock) {
    let clock = Clock::manual(1);
    let name = format!("delays-{name}");
    (broker_at(&name, &clock, &topology(&["orders"], &[])).await, clock)
}

#[tokio::test]
async fn a_delayed_message_enters_its_queue_when_its_time_has_come() {
    let (bus, clock) = orders("delayed").await;
    assert_eq!(bus.capabilities().delay_max, Some(30 * 365 * 86_400 * SECOND));
    let mut consumer = receiver(&*bus, "orders", 10).await;
    send_later(&*bus, queue("orders"), "late", 10 * SECOND).await;
    send_later(&*bus, queue("orders"), "at once", Duration::ZERO).await;
    let held = deliveries(&mut *consumer);
    assert_eq!(shown(&held), ["at once"]);
    pass(&clock, 10 * SECOND - Duration::from_nanos(1));
    assert_eq!(bus.in_flight(), Some(0), "what waits for its time is on its way to nobody");
    pass(&clock, Duration::from_nanos(1));
    assert_eq!(bus.in_flight(), Some(1));
    assert_eq!(shown(&deliveries(&mut *consumer)), ["late"]);
    assert_eq!(clock.next_timer(), None);
}

#[tokio::test]
async fn messages_that_are_due_together_come_in_the_order_of_submission() {
    let (bus, clock) = orders("order").await;
    let other = broker_at("delays-order", &clock, &topology(&[], &[])).await;
    send_later(&*bus, queue("orders"), "1", 3 * SECOND).await;
    send_later(&*other, queue("orders"), "2", 3 * SECOND).await;
    pass(&clock, SECOND);
    send_later(&*bus, queue("orders"), "3", 2 * SECOND).await;
    send_later(&*bus, queue("orders"), "0", SECOND).await;
    pass(&clock, 5 * SECOND);
    assert_eq!(lying(&*bus, "orders").await, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn where_a_delayed_message_goes_is_decided_when_it_is_handed_over() {
    let clock = Clock::manual(1);
    let bus = broker_at("delays-decided", &clock, &topology(&["a", "b"], &[("Placed", "a")])).await;
    send_later(&*bus, exchange("Placed"), "1", SECOND).await;
    bus.apply(&topology(&["b"], &[("Placed", "b")]), ApplyMode::Create).await.unwrap();
    let mut nowhere = message(queue("c"), "2");
    nowhere.delay = Some(SECOND);
    let outcome = submit(&*bus, nowhere).await;
    assert!(matches!(outcome, PublishOutcome::Unroutable), "{outcome:?}");
    pass(&clock, SECOND);
    assert_eq!((lying(&*bus, "a").await, lying(&*bus, "b").await), (vec!["1".to_owned()], vec![]));
}

#[tokio::test]
async fn the_time_to_live_of_a_delayed_message_begins_when_it_enters_the_queue() {
    let (bus, clock) = orders("lives").await;
    let mut late = message(queue("orders"), "1");
    (late.delay, late.time_to_live) = (Some(10 * SECOND), Some(2 * SECOND));
    submit(&*bus, late).await;
    pass(&clock, 11 * SECOND);
    assert_eq!(lying(&*bus, "orders").await, ["1"]);
    pass(&clock, SECOND);
    assert_eq!(lying(&*bus, "orders").await, [""; 0]);
}

#[tokio::test]
async fn a_delayed_message_outlives_its_transport_and_not_its_broker() {
    let (bus, clock) = orders("outlives").await;
    let other = broker_at("delays-outlives", &clock, &topology(&[], &[])).await;
    send_later(&*bus, queue("orders"), "1", SECOND).await;
    bus.close(clock.now()).await;
    bus.connect(clock.now()).await.unwrap();
    send_later(&*bus, queue("orders"), "2", SECOND).await;
    drop(bus);
    pass(&clock, SECOND);
    assert_eq!(lying(&*other, "orders").await, ["1", "2"]);
    send_later(&*other, queue("orders"), "3", SECOND).await;
    drop(other);
    assert_eq!(clock.next_timer(), None, "nothing is left of the broker");
}

#[tokio::test]
async fn everybodys_delays_go_by_their_own_clock() {
    let (bus, clock) = orders("clocks").await;
    let elsewhere = Clock::manual(2);
    let other = broker_at("delays-clocks", &elsewhere, &topology(&[], &[])).await;
    send_later(&*other, queue("orders"), "other", SECOND).await;
    send_later(&*bus, queue("orders"), "own", 2 * SECOND).await;
    pass(&clock, 10 * SECOND);
    assert_eq!(lying(&*bus, "orders").await, ["own"]);
    pass(&elsewhere, SECOND);
    assert_eq!(lying(&*bus, "orders").await, ["own", "other"]);
}

#[tokio::test]
async fn on_the_real_clock_a_thread_without_a_runtime_can_send_later_and_the_runtime_can_end() {
    let short = Duration::from_millis(5);
    let (sent, waits) = std::sync::mpsc::channel();
    let (go_on, gone_on) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Connected first, so the alarm would ring on this runtime, which has no timer and soon ends.
        let bus = runtime.block_on(broker("delays-runtimes", &["orders"], &[]));
        sent.send(()).unwrap();
        gone_on.recv().unwrap();
        let mut late = message(queue("orders"), "1");
        late.delay = Some(short);
        let permit = runtime.block_on(bus.publisher().ready(1, bus_core::transport::Class::Application));
        drop(bus.publisher().submit(permit, late));
        bus
    });
    waits.recv().unwrap();
    let bus = broker("delays-runtimes", &["orders"], &[]).await;
    go_on.send(()).unwrap();
    drop(sender.join().unwrap());
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let mut events = Vec::new();
    done(consumer.next(1, &mut events)).await;
    assert!(matches!(events[..], [Event::Delivery(_)]), "{events:?}");
}

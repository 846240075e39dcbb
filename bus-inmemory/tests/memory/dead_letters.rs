use std::{sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Lane, SettleOutcome, Settlement, Transport},
};
use bus_inmemory::{EndpointOptions, endpoint};

use crate::fixture::{
    broker_at, deliveries, done, lying, message, pass, queue, receiver, send, shown, submit, topology, topology_with,
};

const SECOND: Duration = Duration::from_secs(1);

async fn with(name: &str, options: EndpointOptions) -> (Arc<dyn Transport>, Clock) {
    let clock = Clock::manual(1);
    let name = format!("dead-{name}");
    (broker_at(&name, &clock, &topology_with(&[("orders", options.dead_letter("late"))])).await, clock)
}

async fn send_mortal(transport: &dyn Transport, body: &str, time_to_live: Duration) {
    let mut sent = message(queue("orders"), body);
    (sent.time_to_live, sent.lane) = (Some(time_to_live), Some(Lane(body.into())));
    sent.headers.set("tenant", 7);
    submit(transport, sent).await;
}

#[tokio::test]
async fn a_message_that_expires_goes_to_the_dead_letter_queue_and_says_why() {
    let (bus, clock) = with("why", endpoint()).await;
    send_mortal(&*bus, "1", SECOND).await;
    send(&*bus, &queue("orders"), &["2"]).await;
    pass(&clock, SECOND - Duration::from_nanos(1));
    assert_eq!(lying(&*bus, "late").await, [""; 0]);
    pass(&clock, Duration::from_nanos(1));
    let [letter] = bus.browse("late", 9).await.unwrap().try_into().unwrap();
    assert_eq!((&*letter.body, letter.headers.text("Bus-Dead-Letter-Reason")), (&b"1"[..], Some("expired")));
    assert_eq!(letter.headers.text("Bus-Dead-Letter-Queue"), Some("orders"));
    assert!(letter.headers.get("tenant").is_some(), "it keeps what it had");
    assert_eq!(lying(&*bus, "orders").await, ["2"]);
    pass(&clock, 1000 * SECOND);
    assert_eq!(lying(&*bus, "late").await, ["1"], "it is without its time to live");
}

#[tokio::test]
async fn messages_expire_each_at_its_time_wherever_they_are() {
    for lanes in [false, true] {
        let (bus, clock) = with("each", if lanes { endpoint().lanes() } else { endpoint() }).await;
        let _consumer = receiver(&*bus, "orders", 2).await;
        // Two in a buffer, three in the queue, in another order than they expire.
        for (body, seconds) in [("1", 4), ("2", 2), ("3", 5), ("4", 1), ("5", 3)] {
            send_mortal(&*bus, body, seconds * SECOND).await;
        }
        let mut expired = Vec::new();
        for body in ["4", "2", "5", "1", "3"] {
            pass(&clock, SECOND);
            expired.push(body);
            assert_eq!(lying(&*bus, "late").await, expired);
        }
        assert_eq!(bus.in_flight(), Some(0));
        assert_eq!(clock.next_timer(), None);
    }
}

#[tokio::test]
async fn what_expires_in_a_buffer_makes_room() {
    let (bus, clock) = with("room", endpoint()).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    send_mortal(&*bus, "1", SECOND).await;
    send(&*bus, &queue("orders"), &["2"]).await;
    pass(&clock, SECOND);
    assert_eq!((lying(&*bus, "late").await, bus.in_flight()), (vec!["1".to_owned()], Some(1)));
    assert_eq!(shown(&deliveries(&mut *consumer)), ["2"]);
}

#[tokio::test]
async fn what_was_handed_out_in_time_expires_only_if_it_comes_back() {
    let (bus, clock) = with("back", endpoint()).await;
    for body in ["1", "2", "3"] {
        send_mortal(&*bus, body, SECOND).await;
    }
    let mut consumer = receiver(&*bus, "orders", 3).await;
    let [first, second, third] = deliveries(&mut *consumer).try_into().unwrap();
    consumer.pause();
    assert_eq!(first.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    pass(&clock, SECOND);
    assert_eq!(lying(&*bus, "late").await, [""; 0]);
    assert_eq!(second.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    drop(third);
    assert_eq!((lying(&*bus, "late").await, lying(&*bus, "orders").await), (vec!["3".to_owned()], vec![]));
}

#[tokio::test]
async fn what_is_completed_in_time_is_waited_for_no_more() {
    let (bus, clock) = with("in-time", endpoint()).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    send_mortal(&*bus, "1", SECOND).await;
    send_mortal(&*bus, "2", 1000 * SECOND).await;
    for delivery in deliveries(&mut *consumer) {
        delivery.unsettled.settle(Settlement::Complete).await;
    }
    pass(&clock, SECOND);
    assert_eq!(clock.next_timer(), None);
}

#[tokio::test]
async fn a_queue_whose_messages_all_expire_gives_up_to_a_queue_with_options_of_its_own() {
    let clock = Clock::manual(1);
    let options = endpoint().time_to_live(SECOND).dead_letter("late");
    let wanted = [("orders", options), ("late", endpoint().time_to_live(SECOND).dead_letter("later").max_length(1))];
    let bus = broker_at("dead-chain", &clock, &topology_with(&wanted)).await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    pass(&clock, SECOND);
    assert_eq!(lying(&*bus, "late").await, ["1", "2"], "what the broker has is never refused");
    pass(&clock, SECOND);
    let letters = bus.browse("later", 9).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].headers.text("Bus-Dead-Letter-Queue"), Some("late"), "the last one it was in");
}

#[tokio::test]
async fn an_alarm_for_dead_letters_outlives_its_transport_on_the_real_clock() {
    let (sent, waits) = std::sync::mpsc::channel();
    let (go_on, gone_on) = std::sync::mpsc::channel::<()>();
    let sender = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let wanted = topology_with(&[("orders", endpoint().dead_letter("late"))]);
        let bus = runtime.block_on(broker_at("dead-real", &Clock::real(), &wanted));
        sent.send(()).unwrap();
        gone_on.recv().unwrap();
        // The alarm is on this runtime, which ends.
        runtime.block_on(send_mortal(&*bus, "1", Duration::from_millis(5)));
    });
    waits.recv().unwrap();
    let bus = broker_at("dead-real", &Clock::real(), &topology(&["late"], &[])).await;
    let mut consumer = receiver(&*bus, "late", 1).await;
    go_on.send(()).unwrap();
    sender.join().unwrap();
    let mut events = Vec::new();
    done(consumer.next(1, &mut events)).await;
    assert_eq!(events.len(), 1);
}

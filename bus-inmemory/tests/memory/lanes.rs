use std::{sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Delivery, Lane, Receiver, SettleOutcome, Settlement, Transport},
};
use bus_inmemory::endpoint;

use crate::fixture::{
    broker, broker_at, deliveries, done, lying, message, pass, queue, receiver, shown, submit, topology_with,
};

const SECOND: Duration = Duration::from_secs(1);

async fn laned(name: &str) -> (Arc<dyn Transport>, Clock) {
    let clock = Clock::manual(1);
    let wanted = topology_with(&[("orders", endpoint().lanes())]);
    (broker_at(&format!("lanes-{name}"), &clock, &wanted).await, clock)
}

/// Sends each to the lane that its first letter names; `-` is none.
async fn send(transport: &dyn Transport, bodies: &[&str]) {
    for body in bodies {
        let mut sent = message(queue("orders"), body);
        sent.lane = body.get(..1).filter(|lane| *lane != "-").map(|lane| Lane(lane.into()));
        submit(transport, sent).await;
    }
}

async fn complete(deliveries: impl IntoIterator<Item = Delivery>) {
    for delivery in deliveries {
        assert_eq!(delivery.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
    }
}

async fn some(consumer: &mut dyn Receiver, max: usize) -> Vec<Delivery> {
    let mut events = Vec::new();
    done(consumer.next(max, &mut events)).await;
    let deliveries = events.into_iter().filter_map(|event| match event {
        bus_core::transport::Event::Delivery(delivery) => Some(*delivery),
        _ => None,
    });
    deliveries.collect()
}

#[tokio::test]
async fn a_delivery_says_its_lane_where_the_queue_has_lanes() {
    let (bus, _) = laned("says").await;
    assert!(bus.capabilities().sessions && bus.capabilities().ordered_handover);
    let mut consumer = receiver(&*bus, "orders", 9).await;
    send(&*bus, &["a1", "-1"]).await;
    let held = deliveries(&mut *consumer);
    assert_eq!(held.iter().map(|held| held.lane.clone()).collect::<Vec<_>>(), [Some(Lane("a".into())), None]);

    let plain = broker("lanes-none", &["orders"], &[]).await;
    let mut consumers = [receiver(&*plain, "orders", 9).await, receiver(&*plain, "orders", 9).await];
    send(&*plain, &["a1", "a2"]).await;
    for consumer in &mut consumers {
        let [only] = deliveries(&mut **consumer).try_into().unwrap();
        assert_eq!(only.lane, None);
    }
}

#[tokio::test]
async fn a_lane_is_one_consumers_at_a_time_and_others_get_other_lanes() {
    let (bus, _) = laned("owner").await;
    let mut one = receiver(&*bus, "orders", 9).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    send(&*bus, &["a1", "b1", "a2", "-1", "a3", "b2", "-2"]).await;
    let (ones, twos) = (deliveries(&mut *one), deliveries(&mut *two));
    assert_eq!(shown(&ones), ["a1", "a2", "a3", "-2"]);
    assert_eq!(shown(&twos), ["b1", "-1", "b2"]);
}

#[tokio::test]
async fn a_busy_lane_keeps_nothing_up_and_its_owner_gets_it_as_it_has_room() {
    let (bus, _) = laned("busy").await;
    let mut one = receiver(&*bus, "orders", 1).await;
    send(&*bus, &["a1", "a2", "a3", "b1", "-1"]).await;
    let first = deliveries(&mut *one);
    let mut two = receiver(&*bus, "orders", 9).await;
    assert_eq!(lying(&*bus, "orders").await, ["a2", "a3"]);
    let twos = deliveries(&mut *two);
    assert_eq!(shown(&twos), ["b1", "-1"]);
    assert_eq!(bus.in_flight(), Some(0), "who waits for an owner without room is on its way to nobody");
    // It has none of the lane any more, so the lane is anybody's, and the other was first in the line.
    complete(first).await;
    assert_eq!(bus.in_flight(), Some(2));
    assert_eq!(shown(&deliveries(&mut *two)), ["a2", "a3"]);
}

#[tokio::test]
async fn a_lane_stays_with_its_owner_until_it_has_nothing_of_it() {
    let (bus, _) = laned("stays").await;
    let mut one = receiver(&*bus, "orders", 2).await;
    send(&*bus, &["a1", "a2", "a3", "a4"]).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    let mut ones = deliveries(&mut *one);
    complete(ones.drain(..1)).await;
    ones.extend(deliveries(&mut *one));
    assert_eq!(shown(&ones), ["a2", "a3"]);
    one.pause();
    complete(ones.drain(..1)).await;
    assert_eq!(bus.in_flight(), Some(0), "a paused owner is still one");
    complete(ones).await;
    assert_eq!(shown(&deliveries(&mut *two)), ["a4"]);
}

#[tokio::test]
async fn a_released_message_brings_along_what_of_its_lane_was_not_handed_out() {
    let (bus, _) = laned("along").await;
    let mut one = receiver(&*bus, "orders", 5).await;
    send(&*bus, &["a1", "b1", "a2", "-1", "a3"]).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    let [a1] = some(&mut *one, 1).await.try_into().unwrap();
    drop(a1);
    let (ones, twos) = (deliveries(&mut *one), deliveries(&mut *two));
    assert_eq!(shown(&ones), ["b1", "-1"]);
    assert_eq!(shown(&twos), ["a1 again", "a2", "a3"]);
}

#[tokio::test]
async fn what_is_released_while_more_of_its_lane_is_out_comes_again_to_the_same_consumer() {
    let (bus, _) = laned("same").await;
    let mut one = receiver(&*bus, "orders", 9).await;
    send(&*bus, &["a1", "a2", "a3"]).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    let [a1, a2] = some(&mut *one, 2).await.try_into().unwrap();
    drop(a1);
    send(&*bus, &["a4"]).await;
    let ones = deliveries(&mut *one);
    assert_eq!(shown(&ones), ["a1 again", "a3", "a4"]);
    drop(ones);
    drop(a2);
    assert_eq!(shown(&deliveries(&mut *two)), ["a1 again", "a2 again", "a3 again", "a4 again"]);
}

#[tokio::test]
async fn an_owner_that_goes_away_leaves_its_lanes_in_order() {
    for closed in [false, true] {
        let (bus, clock) = laned("leaves").await;
        let mut one = receiver(&*bus, "orders", 9).await;
        send(&*bus, &["a1", "a2", "a3", "b1", "b2"]).await;
        let mut two = receiver(&*bus, "orders", 9).await;
        let held = some(&mut *one, 1).await;
        if closed {
            one.close(clock.now()).await;
            let twos = deliveries(&mut *two);
            assert_eq!(shown(&twos), ["b1", "b2"], "what it handed out keeps the lane");
            complete(held).await;
            assert_eq!(shown(&deliveries(&mut *two)), ["a2", "a3"]);
        } else {
            drop(one);
            assert_eq!(shown(&deliveries(&mut *two)), ["a1 again", "a2", "a3", "b1", "b2"]);
        }
    }
}

#[tokio::test]
async fn a_message_whose_time_is_over_frees_its_lane() {
    let (bus, clock) = laned("expired").await;
    let mut one = receiver(&*bus, "orders", 1).await;
    let mut mortal = message(queue("orders"), "a1");
    (mortal.lane, mortal.time_to_live) = (Some(Lane("a".into())), Some(SECOND));
    submit(&*bus, mortal.clone()).await;
    submit(&*bus, mortal).await;
    send(&*bus, &["a2", "b1"]).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    pass(&clock, SECOND);
    let ones = deliveries(&mut *one);
    assert_eq!(shown(&ones), [""; 0]);
    assert_eq!(shown(&deliveries(&mut *two)), ["b1", "a2"], "it was the first in the line");
}

#[tokio::test]
async fn a_lease_that_is_over_gives_the_lane_to_another_in_order() {
    let clock = Clock::manual(1);
    let wanted = topology_with(&[("orders", endpoint().lanes().lease(10 * SECOND))]);
    let bus = broker_at("lanes-lapse", &clock, &wanted).await;
    let mut one = receiver(&*bus, "orders", 3).await;
    send(&*bus, &["a1"]).await;
    pass(&clock, 5 * SECOND);
    send(&*bus, &["a2", "b1"]).await;
    let held = some(&mut *one, 1).await;
    let mut two = receiver(&*bus, "orders", 9).await;
    pass(&clock, 5 * SECOND);
    let twos = deliveries(&mut *two);
    assert_eq!(shown(&twos), ["a1 again", "a2"], "the second has time left, and follows");
    assert_eq!(shown(&deliveries(&mut *one)), ["b1"]);
    let [late] = held.try_into().unwrap();
    assert_eq!(late.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
}

#[tokio::test]
async fn by_chance_lanes_are_in_order_all_the_same() {
    let bodies = ["a1", "b1", "a2", "c1", "b2", "a3", "c2", "c3", "b3"];
    let mut mixed = 0;
    for seed in 0..20 {
        let wanted = topology_with(&[("orders", endpoint().lanes())]);
        let bus = broker_at(&format!("lanes?seed={seed}"), &Clock::manual(1), &wanted).await;
        send(&*bus, &bodies).await;
        let mut consumer = receiver(&*bus, "orders", 4).await;
        let mut order = Vec::new();
        while order.len() < bodies.len() {
            for delivery in some(&mut *consumer, 1).await {
                order.extend(shown([&delivery]));
                complete([delivery]).await;
            }
        }
        mixed += usize::from(order != bodies);
        for lane in ["a", "b", "c"] {
            let of_lane: Vec<_> = order.iter().filter(|body| body.starts_with(lane)).collect();
            assert_eq!(of_lane, [&format!("{lane}1"), &format!("{lane}2"), &format!("{lane}3")], "seed {seed}");
        }
    }
    assert!(mixed > 10, "{mixed}");
}

#[tokio::test]
async fn by_chance_nobody_with_room_waits_for_what_is_its_own_either() {
    for seed in 0..64 {
        let wanted = topology_with(&[("orders", endpoint().lanes().lease(10 * SECOND))]);
        let clock = Clock::manual(1);
        let bus = broker_at(&format!("lanes-room?seed={seed}"), &clock, &wanted).await;
        let mut owner = receiver(&*bus, "orders", 3).await;
        // It has two of c and one of b, and two of b wait for it.
        send(&*bus, &["c1", "c2"]).await;
        pass(&clock, SECOND);
        send(&*bus, &["b1", "b2", "b3"]).await;
        let mut held = deliveries(&mut *owner);
        assert_eq!(held.len(), 3);
        let _other = receiver(&*bus, "orders", 9).await;
        // Those of c are taken from it, which makes two places at once.
        pass(&clock, 9 * SECOND);
        held.extend(deliveries(&mut *owner));
        let (own, waiting) = (held.len() - 2, lying(&*bus, "orders").await);
        assert!(own == 3 || waiting.is_empty(), "seed {seed}: it has {own}, and {waiting:?} wait");
    }
}

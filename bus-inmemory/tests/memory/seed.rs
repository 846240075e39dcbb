use std::{collections::BTreeSet, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Driver, Environment, Settlement, Transport},
};
use bus_inmemory::DRIVER;

use crate::fixture::{broker, broker_at, deliveries, message, pass, queue, receiver, send, shown, submit, topology};

const BODIES: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

/// In which order one consumer gets eight messages, one at a time: from the queue, or all from its buffer.
async fn order(broker: &dyn Transport, prefetch: u16) -> Vec<String> {
    let mut consumer = receiver(broker, "orders", prefetch).await;
    send(broker, &queue("orders"), &BODIES).await;
    let mut order = Vec::new();
    while order.len() < BODIES.len() {
        for delivery in deliveries(&mut *consumer) {
            order.extend(shown([&delivery]));
            delivery.unsettled.settle(Settlement::Complete).await;
        }
    }
    order
}

#[tokio::test]
async fn without_a_seed_order_is_that_of_arrival() {
    let bus = broker("arrival", &["orders"], &[]).await;
    assert_eq!(
        (order(&*bus, 1).await, order(&*bus, 9).await),
        (BODIES.map(str::to_owned).into(), BODIES.map(str::to_owned).into())
    );
}

#[tokio::test]
async fn with_a_seed_the_order_of_messages_follows_from_it() {
    for prefetch in [1, 9] {
        let mut orders = BTreeSet::new();
        for seed in 0..8 {
            // Another broker each time: the last one is gone.
            let url = format!("disorder?seed={seed}");
            let one = order(&*broker(&url, &["orders"], &[]).await, prefetch).await;
            let same = order(&*broker(&url, &["orders"], &[]).await, prefetch).await;
            assert_eq!(one, same, "seed {seed}");
            let mut sorted = one.clone();
            sorted.sort();
            assert_eq!(sorted, BODIES, "each of them, once");
            orders.insert(one);
        }
        assert!(orders.len() > 6, "{orders:?}");
    }
}

#[tokio::test]
async fn with_a_seed_it_follows_from_it_which_consumer_is_next() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..8 {
        let bus = broker(&format!("next?seed={seed}"), &["orders"], &[]).await;
        let mut consumers = [receiver(&*bus, "orders", 9).await, receiver(&*bus, "orders", 9).await];
        send(&*bus, &queue("orders"), &BODIES).await;
        let held = consumers.each_mut().map(|consumer| deliveries(&mut **consumer));
        let got = held.each_ref().map(|held| {
            let mut bodies = shown(held);
            bodies.sort();
            bodies
        });
        assert_eq!(got[0].len() + got[1].len(), BODIES.len());
        outcomes.insert(got);
    }
    assert!(outcomes.len() > 6, "{outcomes:?}");
}

#[tokio::test]
async fn a_message_whose_time_is_over_takes_no_room_by_chance_either() {
    for seed in 0..8 {
        let clock = Clock::manual(1);
        let bus = broker_at(&format!("seed-over?seed={seed}"), &clock, &topology(&["orders"], &[])).await;
        for (number, body) in BODIES.iter().enumerate() {
            let mut sent = message(queue("orders"), body);
            sent.time_to_live = (number % 2 == 1).then_some(Duration::from_secs(1));
            submit(&*bus, sent).await;
        }
        pass(&clock, Duration::from_secs(1));
        let mut consumer = receiver(&*bus, "orders", 4).await;
        let held = deliveries(&mut *consumer);
        let mut got = shown(&held);
        got.sort();
        assert_eq!(got, ["1", "3", "5", "7"]);
    }
}

#[tokio::test]
async fn all_transports_of_a_broker_agree_about_the_seed() {
    let refused = |url: &str| DRIVER.open(url, Environment::default()).unwrap_err().to_string();
    let (_one, _two) = (broker("agreed?seed=1", &[], &[]).await, broker("agreed?seed=1", &[], &[]).await);
    for url in ["memory://agreed", "memory://agreed?seed=2"] {
        assert_eq!(
            refused(url),
            "the URL cannot be used: the broker `agreed` is there with the seed 1: write `memory://agreed?seed=1`, or \
             another name"
        );
    }
    let _plain = broker("plain", &[], &[]).await;
    assert_eq!(
        refused("memory://plain?seed=1"),
        "the URL cannot be used: the broker `plain` is there without a seed: write `memory://plain`, or another name"
    );
    let [one, other] = ["agreed-1?seed=1", "agreed-2"]
        .map(|name| DRIVER.open(&format!("memory://{name}"), Environment::default()).unwrap());
    assert!(
        one.source_address().starts_with("memory://agreed-1/")
            && other.source_address().starts_with("memory://agreed-2/")
    );
}

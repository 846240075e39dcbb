use std::collections::BTreeSet;

use crate::{
    Place,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
};

/// Every endpoint that consumes a type gets its own copy of what is published.
pub async fn publish_reaches_every_subscriber(place: Place) {
    let (billing, shipping) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("billing", |e| e.consumer(watched!(billing, Ticked)))
                .endpoint("shipping", |e| e.consumer(watched!(shipping, Ticked)))
        })
        .await;
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    for probe in [&billing, &shipping] {
        let numbers: BTreeSet<_> = probe.take(3).await.into_iter().map(|ticked| ticked.number).collect();
        assert_eq!(numbers, BTreeSet::from([0, 1, 2]));
    }
    bus.stop().await;
    assert_eq!((billing.left().await, shipping.left().await), (0, 0));
}

/// What is sent to `queue:a` goes there, though another endpoint consumes the same type.
pub async fn a_send_reaches_its_queue_only(place: Place) {
    let (right, wrong) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("right", |e| e.consumer(watched!(right, Ticked)))
                .endpoint("wrong", |e| e.consumer(watched!(wrong, Ticked)).prefetch(1))
        })
        .await;
    bus.send("queue:right", Ticked { number: 1 }).await.unwrap();
    assert_eq!(right.next().await.message, Ticked { number: 1 });
    // The other one sees this and nothing before it.
    bus.send("queue:wrong", Ticked { number: 2 }).await.unwrap();
    assert_eq!(wrong.next().await.message, Ticked { number: 2 });
    bus.stop().await;
    assert_eq!((right.left().await, wrong.left().await), (0, 0));
}

/// An endpoint bound to the exchange of another gets copies of what is sent to that exchange.
pub async fn a_wire_tap_sees_what_is_sent_to_the_exchange(place: Place) {
    let (orders, audit) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("orders", |e| e.consumer(watched!(orders, Ticked)))
                .endpoint("audit", |e| e.consumer(watched!(audit, Ticked)).bind("exchange:orders"))
        })
        .await;
    bus.send("exchange:orders", Ticked { number: 1 }).await.unwrap();
    assert_eq!(orders.next().await.message, Ticked { number: 1 });
    assert_eq!(audit.next().await.message, Ticked { number: 1 });
    bus.stop().await;
    assert_eq!((orders.left().await, audit.left().await), (0, 0));
}

/// Buses with the same endpoint share its queue: each message goes to one of them, and all get some.
pub async fn competing_consumers_share_a_queue(place: Place) {
    const MESSAGES: usize = 30;
    let probes = [Probe::open(), Probe::open(), Probe::open()];
    let mut buses = Vec::new();
    for probe in &probes {
        buses.push(place.started(|b| b.endpoint("shared", |e| e.consumer(watched!(probe, Ticked)))).await);
    }
    for number in 0..30 {
        buses[0].publish(Ticked { number }).await.unwrap();
    }
    let mut seen = BTreeSet::new();
    let mut each = [0; 3];
    while seen.len() < MESSAGES {
        let [a, b, c] = &probes;
        let (who, message) = tokio::select! {
            seen = a.next() => (0, seen.message),
            seen = b.next() => (1, seen.message),
            seen = c.next() => (2, seen.message),
        };
        assert!(seen.insert(message.number), "{message:?} was handled twice");
        each[who] += 1;
    }
    assert!(each.iter().all(|count| *count > 0), "all of them work: {each:?}");
    for bus in buses {
        bus.stop().await;
    }
    for probe in probes {
        assert_eq!(probe.left().await, 0, "each message went to one of them");
    }
}

/// One endpoint consumes several types, each with its own handler.
pub async fn several_message_types_live_on_one_endpoint(place: Place) {
    let (ticks, tocks) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| b.endpoint("clock", |e| e.consumer(watched!(ticks, Ticked)).consumer(watched!(tocks, Tocked))))
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    bus.publish(Tocked { number: 2 }).await.unwrap();
    bus.send("queue:clock", Tocked { number: 3 }).await.unwrap();
    assert_eq!(ticks.take(1).await, [Ticked { number: 1 }]);
    let mut numbers: Vec<_> = tocks.take(2).await.into_iter().map(|tocked| tocked.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    bus.stop().await;
    assert_eq!((ticks.left().await, tocks.left().await), (0, 0));
}

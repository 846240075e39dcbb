use std::{sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Event, Lease, SettleOutcome, Settlement, Transport},
};
use bus_inmemory::endpoint;

use crate::fixture::{broker, broker_at, deliveries, done, lying, pass, queue, receiver, send, shown, topology_with};

const SECOND: Duration = Duration::from_secs(1);

/// A broker whose queue `orders` gives leases of ten seconds.
async fn leasing(name: &str) -> (Arc<dyn Transport>, Clock) {
    let clock = Clock::manual(1);
    let wanted = topology_with(&[("orders", endpoint().lease(10 * SECOND))]);
    (broker_at(&format!("leases-{name}"), &clock, &wanted).await, clock)
}

#[tokio::test]
async fn a_delivery_says_until_when_it_is_its_receivers_and_without_a_lease_nothing() {
    let (bus, clock) = leasing("until").await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let until = clock.after(10 * SECOND);
    pass(&clock, 4 * SECOND);
    let [only] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!(only.lease, Some(Lease { until }), "from when it was pushed: the time in the buffer counts");
    assert_eq!(bus.capabilities().lease, None, "each queue has its own");

    let plain = broker("leases-none", &["orders"], &[]).await;
    send(&*plain, &queue("orders"), &["1"]).await;
    let mut consumer = receiver(&*plain, "orders", 1).await;
    let [only] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!((only.lease, only.unsettled.renew().await), (None, None));
}

#[tokio::test]
async fn a_message_whose_lease_is_over_goes_back_to_its_place_and_cannot_be_settled() {
    let (bus, clock) = leasing("over").await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut slow = receiver(&*bus, "orders", 2).await;
    let [first, second] = deliveries(&mut *slow).try_into().unwrap();
    pass(&clock, 10 * SECOND - Duration::from_nanos(1));
    assert_eq!(second.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled, "it is in time");
    slow.pause();
    pass(&clock, Duration::from_nanos(1));
    assert_eq!(lying(&*bus, "orders").await, ["1", "3"]);
    assert_eq!(first.unsettled.renew().await, None);
    assert_eq!(first.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
    let mut next = receiver(&*bus, "orders", 2).await;
    assert_eq!(shown(&deliveries(&mut *next)), ["1 again", "3"]);
}

#[tokio::test]
async fn a_delivery_whose_lease_is_over_is_not_mixed_up_with_the_next_of_its_receiver() {
    let (bus, clock) = leasing("mixed").await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let [stale] = deliveries(&mut *consumer).try_into().unwrap();
    pass(&clock, 10 * SECOND);
    let [fresh] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!((fresh.broker_deliveries, stale.unsettled.renew().await), (Some(2), None));
    assert_eq!(stale.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
    assert_eq!(fresh.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
}

#[tokio::test]
async fn what_waits_in_a_buffer_too_long_goes_to_another_as_good_as_new() {
    let (bus, clock) = leasing("buffer").await;
    let _stuck = receiver(&*bus, "orders", 2).await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    let mut other = receiver(&*bus, "orders", 1).await;
    assert_eq!(bus.in_flight(), Some(2));
    pass(&clock, 10 * SECOND);
    // By turns: the other one was first in the line.
    let held = deliveries(&mut *other);
    assert_eq!((shown(&held), bus.in_flight()), (vec!["1".to_owned()], Some(1)));
    assert_eq!(held[0].lease, Some(Lease { until: clock.after(10 * SECOND) }), "a new one");
}

#[tokio::test]
async fn renewing_begins_the_lease_anew() {
    let (bus, clock) = leasing("renew").await;
    send(&*bus, &queue("orders"), &["1", "2"]).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    let [first, second] = deliveries(&mut *consumer).try_into().unwrap();
    for _ in 0..5 {
        pass(&clock, 6 * SECOND);
        assert_eq!(first.unsettled.renew().await, Some(Lease { until: clock.after(10 * SECOND) }));
    }
    assert_eq!(second.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost);
    assert_eq!(first.unsettled.settle(Settlement::Complete).await, SettleOutcome::Settled);
}

#[tokio::test]
async fn a_lease_ends_with_its_delivery() {
    let (bus, clock) = leasing("ends").await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let [first] = deliveries(&mut *consumer).try_into().unwrap();
    pass(&clock, 6 * SECOND);
    first.unsettled.settle(Settlement::Release).await;
    let [again] = deliveries(&mut *consumer).try_into().unwrap();
    pass(&clock, 6 * SECOND);
    assert_eq!(
        again.unsettled.settle(Settlement::Complete).await,
        SettleOutcome::Settled,
        "the first lease is no more"
    );
    let [second] = deliveries(&mut *consumer).try_into().unwrap();
    consumer.close(clock.now()).await;
    pass(&clock, 10 * SECOND);
    assert_eq!(second.unsettled.settle(Settlement::Complete).await, SettleOutcome::LeaseLost, "also of a closed one");
    assert_eq!(lying(&*bus, "orders").await, ["2", "3"]);
    assert_eq!(clock.next_timer(), None);
}

#[tokio::test]
async fn on_the_real_clock_a_lease_that_began_on_a_thread_without_a_runtime_ends_too() {
    let wanted = topology_with(&[("orders", endpoint().lease(Duration::from_millis(5)))]);
    let bus = broker_at("leases-real", &Clock::real(), &wanted).await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let mut slow = receiver(&*bus, "orders", 1).await;
    let held = deliveries(&mut *slow);
    let mut other = receiver(&*bus, "orders", 1).await;
    // Released there, it begins a lease with the other, and then with the slow one, which keeps it.
    std::thread::spawn(move || drop(held)).join().unwrap();
    let mut events = Vec::new();
    done(other.next(1, &mut events)).await;
    drop(other);
    done(slow.next(1, &mut events)).await;
    let [_, Event::Delivery(kept)] = &events[..] else { panic!("{events:?}") };
    assert!(kept.redelivered);
}

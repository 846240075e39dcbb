use bus_core::transport::{Class, Driver, Environment, PublishOutcome, TransportError};
use bus_inmemory::DRIVER;

use crate::fixture::{broker, deliveries, lying, message, open, queue, receiver, send, shown};

#[tokio::test]
async fn transports_of_one_name_share_a_broker_until_the_last_is_dropped() {
    let one = broker("shared", &["orders"], &[]).await;
    let two = broker("shared", &[], &[]).await;
    send(&*one, &queue("orders"), &["1"]).await;
    drop(one);
    assert_eq!(lying(&*two, "orders").await, ["1"]);
    let publisher = two.publisher();
    let _receiver = receiver(&*two, "orders", 1).await;
    drop(two);
    // Neither the publisher nor the receiver keeps it.
    let permit = publisher.ready(0, Class::Application).await;
    let outcome = publisher.submit(permit, message(queue("orders"), "2")).await;
    assert!(matches!(outcome, PublishOutcome::NotSent(_)), "{outcome:?}");
    let anew = broker("shared", &[], &[]).await;
    let again = anew.publisher();
    let permit = again.ready(0, Class::Application).await;
    let outcome = again.submit(permit, message(queue("orders"), "3")).await;
    assert!(matches!(outcome, PublishOutcome::Unroutable), "the queue is gone: {outcome:?}");
}

#[tokio::test]
async fn brokers_of_two_names_know_nothing_of_each_other() {
    let one = broker("independent-1", &["orders"], &[]).await;
    let two = broker("independent-2", &["orders"], &[]).await;
    send(&*one, &queue("orders"), &["1"]).await;
    assert_eq!(lying(&*one, "orders").await, ["1"]);
    assert_eq!(lying(&*two, "orders").await, [""; 0]);
}

#[tokio::test]
async fn a_dropped_transport_gives_back_what_its_receivers_had() {
    let gone = broker("dropped-transport", &["orders"], &[]).await;
    let stays = broker("dropped-transport", &[], &[]).await;
    send(&*gone, &queue("orders"), &["1", "2"]).await;
    let mut consumer = receiver(&*gone, "orders", 1).await;
    let _held = deliveries(&mut *consumer);
    drop(gone);
    let mut other = receiver(&*stays, "orders", 10).await;
    assert_eq!(shown(&deliveries(&mut *other)), ["1 again", "2"]);
}

#[test]
fn a_url_without_a_name_is_refused_with_what_to_write() {
    match DRIVER.open("memory://", Environment::default()) {
        Err(error @ TransportError::Url { .. }) => assert_eq!(
            error.to_string(),
            "the URL cannot be used: the broker's name is missing: write for example `memory://shop`"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_source_address_is_one_per_transport() {
    let (one, two) = (open("source"), open("source"));
    assert_eq!(one.source_address(), one.source_address());
    assert_ne!(one.source_address(), two.source_address());
}

use std::time::Duration;

use bus_core::{
    clock::Clock,
    transport::{ApplyMode, ReceiverSettings, Transport, TransportError},
};
use bus_inmemory::{EndpointOptions, endpoint};

use crate::fixture::{broker, broker_at, open, topology, topology_with};

async fn refused(transport: &dyn Transport, options: EndpointOptions, mode: ApplyMode) -> String {
    match transport.apply(&topology_with(&[("orders", options)]), mode).await {
        Err(TransportError::Topology { address, entity, source }) => format!("{address}: {entity}: {source}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_existing_queue_with_other_options_refuses_to_be_declared_and_names_both() {
    let options = || endpoint().lanes().lease(Duration::from_secs(30));
    let bus = broker_at("others", &Clock::real(), &topology_with(&[("orders", options())])).await;
    for mode in [ApplyMode::Create, ApplyMode::Validate] {
        bus.apply(&topology_with(&[("orders", options())]), mode).await.unwrap();
        assert_eq!(
            refused(&*bus, endpoint().lanes(), mode).await,
            "memory://others: queue `orders`: it is there with .lease(30s).lanes() already, not with .lanes()"
        );
        assert_eq!(
            refused(&*bus, endpoint(), mode).await,
            "memory://others: queue `orders`: it is there with .lease(30s).lanes() already, not with no options"
        );
        assert!(bus.apply(&topology(&["orders"], &[]), mode).await.is_err(), "saying nothing is saying: no options");
    }
    bus.apply(&topology(&["orders"], &[]), ApplyMode::Assume).await.unwrap();
}

#[tokio::test]
async fn all_options_are_told_as_they_were_written() {
    let options = endpoint()
        .lease(Duration::from_millis(1500))
        .lanes()
        .dead_letter("late")
        .time_to_live(Duration::from_secs(60))
        .max_length(7);
    let bus = broker("written", &["orders"], &[]).await;
    assert_eq!(
        refused(&*bus, options, ApplyMode::Create).await,
        "memory://written: queue `orders`: it is there with no options already, not with \
         .lease(1.5s).lanes().dead_letter(\"late\").time_to_live(60s).max_length(7)"
    );
}

#[tokio::test]
async fn a_queue_that_cannot_be_is_not_declared() {
    let bus = broker("cannot", &[], &[]).await;
    for (options, expected) in [
        (endpoint().max_length(0), "`max_length` is zero, so nothing could be sent there: leave it out, or write more"),
        (endpoint().dead_letter("orders"), "the dead-letter queue is the queue itself: messages would go round"),
    ] {
        let reason = refused(&*bus, options, ApplyMode::Create).await;
        assert_eq!(reason, format!("memory://cannot: queue `orders`: {expected}"));
    }
    assert!(bus.apply(&topology(&["orders"], &[]), ApplyMode::Validate).await.is_err(), "nothing was declared");
}

#[tokio::test]
async fn a_topology_that_says_two_things_of_one_queue_is_refused() {
    let bus = broker("two", &[], &[]).await;
    let wanted = topology_with(&[("orders", endpoint()), ("orders", endpoint().lanes())]);
    assert!(matches!(bus.apply(&wanted, ApplyMode::Create).await, Err(TransportError::Topology { .. })));
    assert!(bus.apply(&topology(&["orders"], &[]), ApplyMode::Validate).await.is_err(), "nothing was declared");
}

#[tokio::test]
async fn options_that_cannot_be_are_told_before_anything_is_done() {
    let mut settings = ReceiverSettings::new("orders".into(), 1);
    assert_eq!(open("told").check_endpoint(&settings), [""; 0]);
    settings.extensions.insert(endpoint().lanes());
    assert_eq!(open("told").check_endpoint(&settings), [""; 0]);
    settings.extensions.insert(endpoint().lease(Duration::ZERO));
    assert_eq!(
        open("told").check_endpoint(&settings),
        ["`lease` is zero, so a delivery would belong to nobody: leave it out, or write more"]
    );
}

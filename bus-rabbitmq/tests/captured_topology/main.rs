//! The same endpoints, publishes and failures as in the captures of MassTransit 8.5.12 leave the same exchanges,
//! queues and bindings on the broker, but for the differences in one table.

#![allow(clippy::disallowed_methods, reason = "deadlines of the machine's time: the broker is real")]

mod argument_types;
mod contracts;
mod differences;
mod entities;
mod left_out;

use std::{
    future::{Ready, ready},
    time::{Duration, Instant},
};

use bus_core::{
    Builder, Bus, Message,
    address::Destination,
    bus::{Catalog, EndpointBuilder},
    consumer::Failure,
    transport::{Class, Driver, Environment, Outgoing, PublishOutcome},
};
use bus_rabbitmq::{DRIVER, endpoint, generated_name};
use contracts::*;
use xtask::rabbitmq::VirtualHost;

/// The name that MassTransit made up.
const GENERATED: &str = "vm_mtpeer_endpoint_4ymyyyf4e8gbg9dzbdxwqy8mn4";

fn takes<M: Message>(endpoint: EndpointBuilder) -> EndpointBuilder {
    endpoint.consumer(|_: M| done(Ok(())))
}

fn fails<M: Message>(endpoint: EndpointBuilder) -> EndpointBuilder {
    endpoint.consumer(|_: M| done(Err(Failure::from("it fails"))))
}

fn done(result: Result<(), Failure>) -> Ready<Result<(), Failure>> {
    ready(result)
}

fn builder(place: &VirtualHost) -> Builder {
    Builder::new(place.url(), Catalog { drivers: vec![&DRIVER], missing: Vec::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_capture_is_declared_again() {
    let place = VirtualHost::create();
    let generated = generated_name();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let bus = builder(&place)
        .endpoint("orders", takes::<SubmitOrder>)
        .endpoint("order-events", takes::<OrderEvent>)
        .endpoint("base-events", takes::<BaseEvent>)
        .endpoint("shapes", |e| takes::<AllTypes>(takes::<Inner>(takes::<WrappedLine>(takes::<Pair>(e)))))
        .endpoint("named", |e| takes::<RenamedEntity>(takes::<RenamedUrn>(takes::<ShortUrn>(takes::<OverHidden>(e)))))
        .endpoint("correlated", |e| {
            takes::<Correlated>(takes::<WithCorrelationProperty>(takes::<WithCommandId>(takes::<WithEventId>(e))))
        })
        .endpoint("boom", fails::<Boom>)
        .endpoint("flaky", fails::<Flaky>)
        .endpoint("rawin", takes::<Sample>)
        .endpoint("t-quorum", |e| takes::<Unwanted>(e).with(endpoint().quorum().quorum_group_size(3)).prefetch(7))
        .endpoint("t-temporary", |e| takes::<Unwanted>(e).with(endpoint().temporary()))
        .endpoint("t-expires", |e| takes::<Unwanted>(e).with(endpoint().expires(minutes(5))))
        .endpoint("t-lazy", |e| takes::<Unwanted>(e).with(endpoint().lazy().max_priority(9)))
        .endpoint("t-single-active", |e| takes::<Unwanted>(e).with(endpoint().single_active_consumer()))
        .endpoint("t-concurrency", |e| takes::<Unwanted>(e).concurrency(3))
        .endpoint("t-dead-letter", |e| takes::<Unwanted>(e).with(endpoint().dead_letter_queue("t-dlx", "t-dlq")))
        .endpoint("t-unbound", |e| takes::<Unwanted>(e).without_subscriptions())
        .endpoint("t-routed", |e| {
            let source = "exchange:Shop.Contracts:DirectRouted?type=direct";
            takes::<DirectRouted>(e).without_subscriptions().bind_key(source, "eu")
        })
        .endpoint(generated.clone(), |e| takes::<Unwanted>(e).with(endpoint().expiring_temporary()))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    publish(&bus, OrderSubmittedV2 {}).await;
    publish(&bus, OrderSubmitted {}).await;
    publish(&bus, Inner {}).await;
    publish(&bus, WrappedLine {}).await;
    publish(&bus, Pair {}).await;
    publish(&bus, RenamedEntity {}).await;
    publish(&bus, RenamedUrn {}).await;
    publish(&bus, ShortUrn {}).await;
    publish(&bus, OverHidden {}).await;
    publish(&bus, LeafEvent {}).await;
    publish(&bus, AllTypes {}).await;
    publish(&bus, DirectRouted {}).await;
    publish(&bus, Boom {}).await;
    publish(&bus, Flaky {}).await;
    bus.send("queue:orders", SubmitOrder {}).await.unwrap();
    bus.send("exchange:orders", SubmitOrder {}).await.unwrap();
    // Nobody there consumes it: to `orders_skipped`.
    bus.send("queue:orders", Unwanted {}).await.unwrap();
    // A sender of a queue that is not there is told so, and makes none.
    assert!(matches!(bus.send("queue:my-faults", Boom {}).await, Err(bus_core::Error::Unroutable { .. })));
    no_json(&place, "orders").await;

    let mut expected = entities::captured("topology.json", left_out::FIRST);
    assert_eq!(expected.len(), 141, "read from the capture");
    assert_eq!(differences::apply(&mut expected), 3);
    settle(&place, &expected, |text| text.replace(&generated, GENERATED)).await;
    assert_eq!(argument_types::check(place.url(), &expected).await, 7);
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_capture_is_declared_again() {
    let place = VirtualHost::create();
    let bus = builder(&place)
        .endpoint("m-orders", takes::<SubmitOrder>)
        .endpoint("m-poly", fails::<OrderSubmitted>)
        .endpoint("m-leaf", fails::<LeafEvent>)
        .endpoint("m-aggregate", fails::<Boom>)
        .endpoint("m-quorum", |e| fails::<Flaky>(e).with(endpoint().quorum()))
        .endpoint("m-expires", |e| fails::<Reminder>(e).with(endpoint().expires(Duration::from_secs(300))))
        .endpoint("m-temporary", |e| fails::<Unwanted>(e).with(endpoint().temporary()))
        .endpoint("m-topic", |e| {
            let source = "exchange:Shop.Contracts:DirectRouted?type=topic";
            takes::<TopicRouted>(e).without_subscriptions().bind_key(source, "eu.*")
        })
        .build()
        .unwrap();
    bus.start().await.unwrap();
    publish(&bus, SubmitOrder {}).await;
    publish(&bus, OrderSubmittedV2 {}).await;
    // By a handler of the scenario 43.
    publish(&bus, OrderSubmitted {}).await;
    publish(&bus, LeafEvent {}).await;
    publish(&bus, Boom {}).await;
    publish(&bus, Flaky {}).await;
    publish(&bus, Reminder {}).await;
    publish(&bus, Unwanted {}).await;
    publish(&bus, TopicRouted {}).await;

    let mut expected = entities::captured("topology-more.json", left_out::MORE);
    assert_eq!(expected.len(), 91, "read from the capture");
    assert_eq!(differences::apply(&mut expected), 3);
    settle(&place, &expected, str::to_owned).await;
    assert_eq!(argument_types::check(place.url(), &expected).await, 3);
    bus.stop().await;
}

async fn publish<M: Message>(bus: &Bus, message: M) {
    bus.publish(message).await.unwrap();
}

/// What cannot be read goes to `_error`, and a `ReceiveFault` tells of it.
async fn no_json(place: &VirtualHost, queue: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let transport = DRIVER.open(place.url(), Environment::default()).unwrap();
    transport.connect(deadline).await.unwrap();
    let mut message = Outgoing::new(Destination::Queue(queue.into()), "no JSON".into(), deadline);
    message.content_type = Some("application/vnd.masstransit+json".into());
    let permit = transport.publisher().ready(message.body.len(), Class::Application).await;
    assert!(matches!(transport.publisher().submit(permit, message).await, PublishOutcome::Confirmed));
    transport.close(deadline).await;
}

/// Waits until the handlers failed and the broker has what is expected, and nothing else.
async fn settle(place: &VirtualHost, expected: &entities::Entities, rename: impl Fn(&str) -> String) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let different = entities::compare(expected, &entities::present(place, &rename));
        if different.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{} differences:\n{}", different.len(), different.join("\n"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

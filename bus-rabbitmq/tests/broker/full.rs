//! Events for several queues, one of which takes no more.

use std::sync::Arc;

use bus_core::{
    Builder, Bus, Error, Message, Retry,
    bus::Catalog,
    consumer::{Context, Failure},
    transport::{PublishOutcome, Transport},
};
use bus_rabbitmq::DRIVER;
use serde::{Deserialize, Serialize};

use crate::server::{Rabbit, published, ready, send, to, until_ready};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Full", crate = bus_core)]
struct Order {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Full", crate = bus_core)]
struct Placed {}

/// The queues `good`, which takes all, and `full`, which is full, both bound to the exchange.
async fn subscribed(rabbit: &Rabbit, exchange: &str) -> Arc<dyn Transport> {
    let transport = rabbit.with_queue("good").await;
    let full = r#"{"durable":true,"arguments":{"x-max-length":1,"x-overflow":"reject-publish"}}"#;
    rabbit.put("queues", "full", full);
    while matches!(send(&transport, to("full", 0)).await, PublishOutcome::Confirmed) {}
    rabbit.put("exchanges", exchange, r#"{"type":"fanout","durable":true}"#);
    rabbit.bind(exchange, "full");
    rabbit.bind(exchange, "good");
    transport
}

/// An endpoint `q` whose handler publishes what `full` does not take, and is tried three times.
async fn publishing(rabbit: &Rabbit, fails: bool) -> Bus {
    let catalog = Catalog { drivers: vec![&DRIVER], missing: Vec::new() };
    let handler = move |_: Order, ctx: Context| async move {
        if fails {
            return Err(Failure::from("it fails"));
        }
        ctx.publish(Placed {}).await?;
        Ok(())
    };
    let bus = Builder::new(rabbit.url(), catalog).endpoint("q", |e| e.retry(Retry::immediate(2)).consumer(handler));
    let bus = bus.build().unwrap();
    bus.start().await.unwrap();
    bus
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_one_of_its_queues_does_not_take_is_refused_and_says_that_others_may_have_it() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit, "T").await;
    match send(&transport, published("T", 1)).await {
        PublishOutcome::Rejected(why) => assert!(why.to_string().contains("its other queues may have it"), "{why}"),
        outcome => panic!("{outcome:?}"),
    }
    until_ready(&transport, "good", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handlers_event_that_one_of_its_queues_does_not_take_comes_once_an_attempt_and_fails_the_message() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit, "Bus.Full:Placed").await;
    let bus = publishing(&rabbit, false).await;
    match bus.publish(Placed {}).await {
        Err(Error::Rejected { .. }) => {}
        other => panic!("{other:?}"),
    }
    until_ready(&transport, "good", 1).await;
    bus.send("queue:q", Order {}).await.unwrap();
    until_ready(&transport, "q_error", 1).await;
    bus.stop().await;
    assert_eq!(ready(&transport, "good").await, 1 + 3, "one more for each attempt");
    let failed = transport.browse("q_error", 1).await.unwrap().remove(0);
    let said = failed.headers.text("MT-Fault-Message").unwrap_or_default();
    assert!(said.contains("its other queues may have it"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_goes_to_its_error_queue_although_a_subscriber_to_faults_takes_no_more() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit, "MassTransit:Fault--Bus.Full:Order--").await;
    let bus = publishing(&rabbit, true).await;
    bus.send("queue:q", Order {}).await.unwrap();
    until_ready(&transport, "q_error", 1).await;
    bus.stop().await;
    assert_eq!(ready(&transport, "good").await, 1, "who can is told once");
}

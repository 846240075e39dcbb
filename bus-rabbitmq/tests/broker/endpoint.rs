//! Endpoint options on a real broker, and what the queues beside an endpoint take of them.

use std::{sync::Arc, time::Duration};

use bus_core::{
    Builder, Error, Message, Retry,
    bus::Catalog,
    consumer::{Context, Failure},
    topology::{Queue, Topology},
    transport::{ApplyMode, Driver, EnsureQueue, Environment, Event, PublishOutcome, Transport, TransportError},
};
use bus_rabbitmq::{DRIVER, EndpointOptions, endpoint};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xtask::Relay;

use crate::server::{Rabbit, complete, delivery, events, published, ready, receiver, send, soon, to};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", crate = bus_core)]
struct Failing {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", crate = bus_core)]
struct Counted {
    number: u32,
}

fn failing(url: &str, name: &str, options: EndpointOptions) -> Result<bus_core::Bus, Error> {
    let catalog = Catalog { drivers: vec![&DRIVER], missing: Vec::new() };
    let consumer = |_: Failing| async { Err::<(), _>(Failure::from("it fails")) };
    Builder::new(url, catalog).endpoint(name, |e| e.consumer(consumer).with(options)).build()
}

fn topology(queues: impl IntoIterator<Item = (&'static str, EndpointOptions)>) -> Topology {
    let mut topology = Topology::default();
    for (name, options) in queues {
        let mut queue = Queue::new(name.into());
        queue.extensions.insert(options);
        topology.queues.push(queue);
    }
    topology
}

fn queue(rabbit: &Rabbit, name: &str) -> Value {
    let queue = rabbit.get(&format!("queues/{}/{name}", rabbit.name()));
    json!({ "durable": queue["durable"], "exclusive": queue["exclusive"], "arguments": queue["arguments"] })
}

async fn aside(transport: &Arc<dyn Transport>, name: &str, like: &str) {
    let mut message = to(name, 1);
    message.extensions.insert(EnsureQueue { like: like.into() });
    let outcome = send(transport, message).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{name}: {outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_version_is_known_once_connected() {
    let rabbit = Rabbit::new();
    let transport = rabbit.open();
    assert_eq!(transport.capabilities().server_version, None);
    transport.connect(soon()).await.unwrap();
    let version = rabbit.get("overview")["rabbitmq_version"].as_str().unwrap().to_owned();
    assert_eq!(transport.capabilities().server_version, Some(version));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_of_this_connection_alone_come_back_after_it_was_lost() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    for (name, options) in [("gone", endpoint().temporary()), ("expiring", endpoint().expiring_temporary())] {
        transport.apply(&topology([(name, options)]), ApplyMode::Create).await.unwrap();
        let mut receiver = receiver(&transport, name, 10).await;
        assert_eq!(queue(&rabbit, name)["exclusive"], json!(true));
        rabbit.close_connections(2).await;
        assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
        assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
        // Through the exchange in front, which went with the queue.
        assert!(matches!(send(&transport, published(name, 1)).await, PublishOutcome::Confirmed));
        complete(delivery(&mut receiver).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_another_connection_has_for_itself_is_refused_and_taken_over_when_it_is_free() {
    let rabbit = Rabbit::new();
    let (first, second) = (rabbit.connected().await, rabbit.connected().await);
    let mine = topology([("mine", endpoint().temporary())]);
    first.apply(&mine, ApplyMode::Create).await.unwrap();
    let one = receiver(&first, "mine", 10).await;
    match second.apply(&mine, ApplyMode::Create).await {
        Err(TransportError::Topology { entity, source, .. }) => {
            assert_eq!(entity, "queue `mine`");
            assert!(source.to_string().contains("exclusive access"), "{source}");
        }
        other => panic!("{other:?}"),
    }
    drop(one);
    first.close(soon()).await;
    second.apply(&mine, ApplyMode::Create).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_the_broker_holds_for_a_dead_connection_is_waited_for() {
    let rabbit = Rabbit::new();
    let broker = rabbit.url().split('@').next_back().unwrap().split('/').next().unwrap();
    let relay = Relay::to(broker);
    let through = rabbit.url().replace(broker, &format!("127.0.0.1:{}", relay.port()));
    let transport = DRIVER.open(&through, Environment::default()).unwrap();
    transport.connect(soon()).await.unwrap();
    transport.apply(&topology([("mine", endpoint().temporary())]), ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "mine", 10).await;
    relay.cut_client();
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    // Connected again, and the queue is somebody's.
    match &events(&mut receiver, 1).await[..] {
        [Event::Degraded(why)] => assert!(why.to_string().contains("exclusive access"), "{why}"),
        other => panic!("{other:?}"),
    }
    relay.tell();
    while !matches!(events(&mut receiver, 1).await[..], [Event::Restored]) {}
    assert!(matches!(send(&transport, published("mine", 1)).await, PublishOutcome::Confirmed));
    complete(delivery(&mut receiver).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_beside_an_endpoint_are_durable_and_of_its_type() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let applied = topology([
        ("replicated", endpoint().quorum().quorum_group_size(1).max_length(7)),
        ("gone", endpoint().temporary()),
        ("expiring", endpoint().expiring_temporary()),
        ("plain", endpoint().max_priority(3)),
    ]);
    transport.apply(&applied, ApplyMode::Create).await.unwrap();
    for (source, arguments) in [
        ("replicated", json!({ "x-queue-type": "quorum" })),
        ("gone", json!({})),
        ("expiring", json!({})),
        ("plain", json!({})),
        ("unknown", json!({})),
    ] {
        let name = format!("{source}_error");
        aside(&transport, &name, source).await;
        let expected = json!({ "durable": true, "exclusive": false, "arguments": arguments });
        assert_eq!(queue(&rabbit, &name), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_beside_an_endpoint_that_somebody_else_made_is_used_as_it_is() {
    let rabbit = Rabbit::new();
    let (transport, peer) = (rabbit.connected().await, rabbit.connected().await);
    rabbit.put("queues", "orders_error", r#"{"durable":true,"arguments":{"x-max-length":5}}"#);
    aside(&transport, "orders_error", "orders").await;
    assert_eq!(queue(&rabbit, "orders_error")["arguments"], json!({ "x-max-length": 5 }));
    // A .NET service's of a temporary endpoint: for its connection alone, and yet it takes messages.
    peer.apply(&topology([("t_error", endpoint().temporary())]), ApplyMode::Create).await.unwrap();
    aside(&transport, "t_error", "t").await;
    assert_eq!(queue(&rabbit, "t_error")["exclusive"], json!(true));
    let mut receiver = receiver(&peer, "t_error", 1).await;
    complete(delivery(&mut receiver).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_queue_whose_delivery_limit_was_chosen_the_other_way_is_used_as_it_is() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    // The other way round than this server's version asks for.
    let version = transport.capabilities().server_version.unwrap();
    let lifted = version.split('.').next().unwrap().parse::<u32>().unwrap() < 4;
    let other = if lifted { r#","x-delivery-limit":-1"# } else { "" };
    let body = |limit: &str| format!(r#"{{"durable":true,"arguments":{{"x-queue-type":"quorum"{limit}}}}}"#);
    rabbit.put("queues", "a", &body(other));
    rabbit.put("queues", "b", &body(r#","x-delivery-limit":5"#));
    rabbit.put("queues", "c", &body(other));
    let quorum = || endpoint().quorum();
    transport.apply(&topology([("a", quorum()), ("c", quorum())]), ApplyMode::Create).await.unwrap();
    match transport.apply(&topology([("a", quorum()), ("b", quorum())]), ApplyMode::Create).await {
        Err(TransportError::Topology { entity, source, .. }) => {
            assert_eq!(entity, "queue `b`");
            let words = source.to_string();
            assert!(words.contains("x-delivery-limit") && words.contains("the value '5'"), "{words}");
            assert_eq!(words.contains("received none"), lifted, "of what was meant: {words}");
        }
        other => panic!("{other:?}"),
    }
    let said = quorum().argument("x-delivery-limit", 5);
    transport.apply(&topology([("b", said)]), ApplyMode::Create).await.unwrap();
}

#[test]
fn options_that_exclude_each_other_fail_the_build() {
    let problems = |name: &str, options| match failing("amqp://localhost", name, options) {
        Err(error) => error.to_string(),
        Ok(_) => String::new(),
    };
    let said = problems("orders", endpoint().quorum().max_priority(9).temporary());
    assert!(said.contains("endpoint `orders`: a quorum queue has no `max_priority`"), "{said}");
    assert!(said.contains("endpoint `orders`: a quorum queue is durable"), "{said}");
    for (length, suffix) in [(248, "_skipped"), (250, "_error")] {
        let said = problems(&"n".repeat(length), endpoint());
        assert!(said.contains(&format!("no room for `{suffix}`")), "{said}");
    }
    let said = problems(&"n".repeat(256), endpoint());
    assert!(said.contains("256 bytes; 255 are possible") && !said.contains("_skipped"), "{said}");
    assert_eq!(problems("orders", endpoint().quorum().single_active_consumer()), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_temporary_endpoint_says_so() {
    let rabbit = Rabbit::new();
    let bus = failing(rabbit.url(), "short-lived", endpoint().temporary()).unwrap();
    bus.start().await.unwrap();
    bus.publish(Failing {}).await.unwrap();
    let transport = rabbit.connected().await;
    let found = loop {
        match transport.browse("short-lived_error", 1).await.unwrap().pop() {
            Some(found) => break found,
            None => tokio::task::yield_now().await,
        }
    };
    let address = found.headers.text("MT-Fault-InputAddress").unwrap();
    assert!(address.ends_with("/short-lived?temporary=true"), "{address}");
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_active_consumer_handles_one_message_after_the_other_and_a_takeover_repeats_them_in_order() {
    let rabbit = Rabbit::new();
    let bus = async || {
        let (seen, numbers) = tokio::sync::mpsc::unbounded_channel();
        let slow_second = move |Counted { number }: Counted, ctx: Context| {
            let seen = seen.clone();
            async move {
                if number == 2 && ctx.attempt() == 0 {
                    return Err(Failure::from("not yet"));
                }
                // Its end is seen in the test; a process that ended before it handled the number.
                let handled = seen.send(number).map_err(|_| Failure::from("nobody looks"));
                match number {
                    4.. if !ctx.redelivered() => std::future::pending().await,
                    _ => handled,
                }
            }
        };
        let catalog = Catalog { drivers: vec![&DRIVER], missing: Vec::new() };
        let retry = Retry::interval(1, Duration::from_millis(200));
        let bus = Builder::new(rabbit.url(), catalog)
            .endpoint("single", |e| {
                e.concurrency(8).retry(retry).consumer(slow_second).with(endpoint().single_active_consumer())
            })
            .build()
            .unwrap();
        bus.start().await.unwrap();
        (bus, numbers)
    };
    let (first, mut active) = bus().await;
    let (second, mut standing_by) = bus().await;
    for number in 1..=8 {
        first.send("queue:single", Counted { number }).await.unwrap();
    }
    for number in 1..=4 {
        assert_eq!(active.recv().await, Some(number), "in order, though the second came to its end by a retry");
    }
    drop(first);
    for number in 4..=8 {
        assert_eq!(standing_by.recv().await, Some(number));
    }
    second.stop().await;
    assert_eq!(ready(&rabbit.connected().await, "single").await, 0);
}

use std::{sync::Arc, time::Instant};

use bus_core::{
    address::Destination,
    topology::{Queue, TopicKind, Topology},
    transport::{ApplyMode, Event, PublishOutcome, Transport, TransportError},
};
use bus_rabbitmq::endpoint;

use crate::{
    publish::pipelined,
    server::{Rabbit, complete, delivery, events, published, queues, ready, receiver, send, soon, to},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_reaches_the_queues_that_are_bound() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let mut topology = queues(&["one", "two"]);
    topology.topic(&"Acme:Event".into(), TopicKind::Fanout);
    topology.bind(&"Acme:Event".into(), Destination::Queue("one".into()), "");
    topology.bind(&"Acme:Event".into(), Destination::Queue("two".into()), "");
    for _ in 0..2 {
        transport.apply(&topology, ApplyMode::Create).await.unwrap();
    }
    transport.apply(&topology, ApplyMode::Validate).await.unwrap();
    assert!(matches!(send(&transport, published("Acme:Event", 1)).await, PublishOutcome::Confirmed));
    for queue in ["one", "two"] {
        let mut receiver = receiver(&transport, queue, 1).await;
        complete(delivery(&mut receiver).await).await;
    }
    // The exchange in front of a queue reaches it too.
    assert!(matches!(send(&transport, published("one", 2)).await, PublishOutcome::Confirmed));
    let mut receiver = receiver(&transport, "one", 1).await;
    assert_eq!(delivery(&mut receiver).await.message_id.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_properties_is_refused_with_the_brokers_words() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    rabbit.put("queues", "q", r#"{"durable":true,"arguments":{"x-max-length":5}}"#);
    match transport.apply(&queues(&["other", "q"]), ApplyMode::Create).await {
        Err(TransportError::Topology { entity, source, address }) => {
            assert_eq!(entity, "queue `q`");
            assert!(source.to_string().contains("x-max-length"), "{source}");
            assert!(address.ends_with(rabbit.name()), "{address}");
        }
        other => panic!("{other:?}"),
    }
    // The connection goes on.
    transport.apply(&queues(&["other"]), ApplyMode::Create).await.unwrap();
    let mut fitting = Topology::default();
    let mut queue = Queue::new("q".into());
    queue.extensions.insert(endpoint().argument("x-max-length", 5_i64));
    fitting.queues.push(queue);
    transport.apply(&fitting, ApplyMode::Create).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn validating_changes_nothing_and_fails_over_what_is_missing() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    match transport.apply(&queues(&["q"]), ApplyMode::Validate).await {
        Err(TransportError::Topology { entity, .. }) => assert_eq!(entity, "queue `q`"),
        other => panic!("{other:?}"),
    }
    transport.apply(&queues(&["q"]), ApplyMode::Assume).await.unwrap();
    assert!(matches!(
        transport.apply(&queues(&["q"]), ApplyMode::Validate).await,
        Err(TransportError::Topology { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_refused_when_declared_again_does_not_stop_the_others() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let wanted = queues(&["theirs", "ours", "consumed"]);
    transport.apply(&wanted, ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "consumed", 1).await;
    rabbit.delete("queues", "theirs");
    rabbit.put("queues", "theirs", r#"{"durable":true,"arguments":{"x-max-length":5}}"#);
    rabbit.delete("queues", "ours");
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    assert_eq!(ready(&transport, "ours").await, 0);
    let refused = |health: String| health.contains("queue `theirs`") && health.contains("x-max-length");
    // The connection that publishes may not be back yet.
    let deadline = soon();
    while !transport.health().is_err_and(refused) {
        assert!(Instant::now() < deadline, "{:?}", transport.health());
        tokio::task::yield_now().await;
    }
    // A consumer that declares its own queue alone says nothing about the others.
    rabbit.delete("queues", "consumed");
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Cancelled(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    assert!(refused(transport.health().unwrap_err()));
    rabbit.delete("queues", "theirs");
    transport.apply(&wanted, ApplyMode::Create).await.unwrap();
    assert_eq!(transport.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_queue_does_not_keep_the_next_round_from_the_others() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let wanted = queues(&["theirs", "ours"]);
    transport.apply(&wanted, ApplyMode::Create).await.unwrap();
    rabbit.delete("queues", "theirs");
    rabbit.put("queues", "theirs", r#"{"durable":true,"arguments":{"x-max-length":5}}"#);
    rabbit.delete("queues", "ours");
    match transport.apply(&wanted, ApplyMode::Create).await {
        Err(TransportError::Topology { entity, .. }) => assert_eq!(entity, "queue `theirs`"),
        other => panic!("{other:?}"),
    }
    // The queue and its binding.
    assert!(matches!(send(&transport, to("ours", 1)).await, PublishOutcome::Confirmed));
    assert_eq!(ready(&transport, "ours").await, 1);
    let health = transport.health().unwrap_err();
    assert!(health.contains("queue `theirs`") && !health.contains("ours"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_cannot_subscribe_says_why() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    rabbit.put("queues", "q", r#"{"durable":true}"#);
    // Nobody declares it again.
    transport.apply(&queues(&["q"]), ApplyMode::Assume).await.unwrap();
    let mut receiver = receiver(&transport, "q", 1).await;
    rabbit.delete("queues", "q");
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Cancelled(_)]));
    match &events(&mut receiver, 1).await[..] {
        [Event::Degraded(cause)] => assert!(cause.to_string().contains("no queue 'q'"), "{cause}"),
        events => panic!("{events:?}"),
    }
    rabbit.put("queues", "q", r#"{"durable":true}"#);
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_that_the_broker_lost_with_the_connection_is_back_before_anything_is_published() {
    const EVENTS: usize = 200;
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let mut topology = queues(&["q"]);
    topology.topic(&"Acme:Event".into(), TopicKind::Fanout);
    topology.bind(&"Acme:Event".into(), Destination::Queue("q".into()), "");
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    assert!(matches!(send(&transport, published("Acme:Event", "first")).await, PublishOutcome::Confirmed));
    // As a broker does that is killed before it has written them down.
    rabbit.delete("exchanges", "Acme:Event");
    rabbit.close_connections(2).await;
    for number in 0..EVENTS {
        assert!(matches!(send(&transport, published("Acme:Event", number)).await, PublishOutcome::Confirmed));
    }
    assert_eq!(ready(&transport, "q").await, EVENTS + 1);
}

/// A queue `q` that is bound to `Acme:Event`, with one message.
async fn subscribed(rabbit: &Rabbit) -> Arc<dyn Transport> {
    let transport = rabbit.connected().await;
    let mut topology = queues(&["q"]);
    topology.topic(&"Acme:Event".into(), TopicKind::Fanout);
    topology.bind(&"Acme:Event".into(), Destination::Queue("q".into()), "");
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    assert!(matches!(send(&transport, published("Acme:Event", 0)).await, PublishOutcome::Confirmed));
    transport
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_once_an_exchange_is_found_deleted_reaches_the_queues_that_were_bound_to_it() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit).await;
    rabbit.delete("exchanges", "Acme:Event");
    let outcomes = pipelined(&transport, (1..20).map(|number| published("Acme:Event", number))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)), "{outcomes:?}");
    assert_eq!(ready(&transport, "q").await, 20);
    // One alone finds it as well, and what is deleted beside the exchange is there again too.
    rabbit.delete("exchanges", "q");
    rabbit.delete("exchanges", "Acme:Event");
    assert!(matches!(send(&transport, published("Acme:Event", 20)).await, PublishOutcome::Confirmed));
    assert_eq!(ready(&transport, "q").await, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_its_receivers_alone_is_bound_again_too() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let mut topology = Topology::default();
    let mut queue = Queue::new("mine".into());
    queue.extensions.insert(endpoint().temporary());
    topology.queues.push(queue);
    topology.topic(&"Acme:Event".into(), TopicKind::Fanout);
    topology.bind(&"Acme:Event".into(), Destination::Queue("mine".into()), "");
    transport.apply(&topology, ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "mine", 1).await;
    // A channel finds that it is deleted.
    assert!(matches!(send(&transport, published("Acme:Event", 1)).await, PublishOutcome::Confirmed));
    complete(delivery(&mut receiver).await).await;
    rabbit.delete("exchanges", "Acme:Event");
    assert!(matches!(send(&transport, published("Acme:Event", 2)).await, PublishOutcome::Confirmed));
    assert_eq!(delivery(&mut receiver).await.message_id.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_missing_and_not_ours_does_not_have_ours_declared_again() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit).await;
    let mut theirs = to("unused", 1);
    theirs.to = transport.resolve(&"rabbitmq://h/theirs?type=topic".parse().unwrap()).unwrap();
    // Nobody sees that it is gone, unless everything is declared.
    rabbit.delete("exchanges", "q");
    match send(&transport, theirs).await {
        PublishOutcome::Rejected(reason) => assert!(reason.to_string().contains("theirs"), "{reason}"),
        outcome => panic!("{outcome:?}"),
    }
    let exchanges = rabbit.get(&format!("exchanges/{}", rabbit.name()));
    assert!(exchanges.as_array().unwrap().iter().all(|exchange| exchange["name"] != "q"), "{exchanges}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_deleted_with_the_exchange_is_left_to_its_consumer() {
    let rabbit = Rabbit::new();
    let transport = subscribed(&rabbit).await;
    rabbit.delete("queues", "q");
    rabbit.delete("exchanges", "Acme:Event");
    assert!(matches!(send(&transport, published("Acme:Event", 1)).await, PublishOutcome::Confirmed));
    // There again before its consumers heard of it, it would look to them as if nothing had happened.
    assert_eq!(rabbit.get(&format!("queues/{}", rabbit.name())), serde_json::json!([]));
}

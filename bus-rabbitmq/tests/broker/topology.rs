use bus_core::{
    address::Destination,
    topology::{Queue, TopicKind, Topology},
    transport::{ApplyMode, Event, PublishOutcome, TransportError},
};
use bus_rabbitmq::endpoint;

use crate::server::{Rabbit, complete, delivery, events, published, queues, ready, receiver, send, to};

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
    assert!(refused(transport.health().unwrap_err()));
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

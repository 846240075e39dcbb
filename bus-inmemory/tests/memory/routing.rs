use bus_core::{
    address::Destination,
    clock::Clock,
    topology::TopicKind,
    transport::{ApplyMode, EnsureQueue, PublishOutcome, TransportError},
};

use crate::fixture::{broker, exchange, lying, message, open, queue, send, submit, topology};

#[tokio::test]
async fn every_queue_bound_to_a_topic_gets_a_copy() {
    let bus = broker("fan-out", &["billing", "audit", "other"], &[("Placed", "billing"), ("Placed", "audit")]).await;
    send(&*bus, &exchange("Placed"), &["1", "2"]).await;
    assert_eq!(lying(&*bus, "billing").await, ["1", "2"]);
    assert_eq!(lying(&*bus, "audit").await, ["1", "2"]);
    assert_eq!(lying(&*bus, "other").await, [""; 0]);
}

#[tokio::test]
async fn a_queue_reached_over_two_paths_gets_one_copy() {
    // Placed -> a -> b, and Placed -> b.
    let bus = broker("once", &["a", "b"], &[("Placed", "a"), ("Placed", "b"), ("a", "b")]).await;
    send(&*bus, &exchange("Placed"), &["1"]).await;
    assert_eq!(lying(&*bus, "a").await, ["1"]);
    assert_eq!(lying(&*bus, "b").await, ["1"]);
}

#[tokio::test]
async fn bindings_that_go_in_a_circle_are_followed_once() {
    let bus = broker("circle", &["a", "b", "c"], &[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]).await;
    send(&*bus, &exchange("b"), &["1"]).await;
    for name in ["a", "b", "c"] {
        assert_eq!(lying(&*bus, name).await, ["1"], "{name}");
    }
}

#[tokio::test]
async fn a_tap_sees_what_goes_through_a_queues_exchange_and_not_what_goes_to_the_queue() {
    let bus = broker("tap", &["orders", "tap"], &[("orders", "tap")]).await;
    send(&*bus, &exchange("orders"), &["through the exchange"]).await;
    send(&*bus, &queue("orders"), &["to the queue"]).await;
    assert_eq!(lying(&*bus, "orders").await, ["through the exchange", "to the queue"]);
    assert_eq!(lying(&*bus, "tap").await, ["through the exchange"]);
}

#[tokio::test]
async fn a_binding_made_later_counts_from_then_on() {
    let bus = broker("later", &["a", "b"], &[("Placed", "a")]).await;
    send(&*bus, &exchange("Placed"), &["1"]).await;
    bus.apply(&topology(&["b"], &[("Placed", "b")]), ApplyMode::Create).await.unwrap();
    send(&*bus, &exchange("Placed"), &["2"]).await;
    assert_eq!(lying(&*bus, "a").await, ["1", "2"]);
    assert_eq!(lying(&*bus, "b").await, ["2"]);
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_unroutable() {
    let bus = broker("no-queue", &[], &[]).await;
    let outcome = submit(&*bus, message(queue("orders"), "1")).await;
    assert!(matches!(outcome, PublishOutcome::Unroutable), "{outcome:?}");
}

#[tokio::test]
async fn a_topic_without_a_queue_is_unroutable_only_for_a_mandatory_message() {
    let bus = broker("no-subscriber", &[], &[]).await;
    let mut placed = message(exchange("Placed"), "1");
    let outcome = submit(&*bus, placed.clone()).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    placed.mandatory = true;
    let outcome = submit(&*bus, placed).await;
    assert!(matches!(outcome, PublishOutcome::Unroutable), "{outcome:?}");
}

#[tokio::test]
async fn the_first_publish_declares_its_topic() {
    let bus = broker("first", &["a"], &[]).await;
    let mut wanted = topology(&[], &[]);
    wanted.topic(&"Placed".into(), TopicKind::Fanout);
    assert!(bus.apply(&wanted, ApplyMode::Validate).await.is_err());
    send(&*bus, &exchange("Placed"), &["1"]).await;
    bus.apply(&wanted, ApplyMode::Validate).await.unwrap();
}

#[tokio::test]
async fn a_message_can_ask_for_its_queue_to_be_made() {
    let bus = broker("ensure", &["orders"], &[]).await;
    for body in ["1", "2"] {
        let mut moved = message(queue("orders_error"), body);
        moved.extensions.insert(EnsureQueue { like: "orders".into() });
        let outcome = submit(&*bus, moved).await;
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    }
    assert_eq!(lying(&*bus, "orders_error").await, ["1", "2"]);
    // It is a queue like any other, with its exchange in front.
    send(&*bus, &exchange("orders_error"), &["3"]).await;
    assert_eq!(lying(&*bus, "orders_error").await, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_the_broker_cannot_do_is_rejected_with_the_reason() {
    let bus = broker("rejected", &["orders"], &[]).await;
    let mut late = message(queue("orders"), "1");
    late.delay = Some(std::time::Duration::from_secs(30 * 365 * 86_400 + 1));
    let mut unnameable = message(queue("my orders"), "1");
    unnameable.extensions.insert(EnsureQueue { like: "orders".into() });
    let name = |what: &str| {
        format!(
            "the {what} `my orders` cannot be named so: it has ` `; letters, digits, `-`, `_`, `.` and `:` are possible"
        )
    };
    for (outgoing, expected) in [
        (late, "the broker in memory delays a message 10950 days at most (to queue:orders)".to_owned()),
        (unnameable, name("queue")),
        (message(exchange("my orders"), "1"), name("topic")),
    ] {
        match submit(&*bus, outgoing).await {
            PublishOutcome::Rejected(reason) => assert_eq!(reason.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lying(&*bus, "orders").await, [""; 0]);
}

#[tokio::test]
async fn validation_names_what_is_missing_and_changes_nothing() {
    let bus = broker("validate", &["a"], &[("Placed", "a")]).await;
    bus.apply(&topology(&["a"], &[("Placed", "a")]), ApplyMode::Validate).await.unwrap();
    for (wanted, missing) in [
        (topology(&["b"], &[]), "queue `b`"),
        (topology(&["a"], &[("Paid", "a")]), "exchange `Paid`"),
        (topology(&["a"], &[("a", "a")]), "the binding of exchange `a` to queue `a`"),
    ] {
        for _ in 0..2 {
            match bus.apply(&wanted, ApplyMode::Validate).await {
                Err(TransportError::Topology { entity, .. }) => assert_eq!(entity, missing),
                other => panic!("{other:?}"),
            }
        }
        bus.apply(&wanted, ApplyMode::Assume).await.unwrap();
    }
}

#[tokio::test]
async fn a_topology_with_a_fault_is_refused_as_a_whole() {
    let bus = broker("fault", &[], &[]).await;
    let mut nowhere = topology(&["a"], &[]);
    nowhere.bind(&"Placed".into(), Destination::Queue("b".into()), "");
    for (wanted, wrong) in [
        (topology(&["a", "my orders"], &[]), "queue `my orders`"),
        (topology(&["a"], &[("", "a")]), "exchange ``"),
        (nowhere, "the binding of exchange `Placed` to queue `b`"),
    ] {
        match bus.apply(&wanted, ApplyMode::Create).await {
            Err(TransportError::Topology { entity, address, .. }) => {
                assert_eq!((entity.as_str(), address.as_str()), (wrong, "memory://fault"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(bus.apply(&topology(&["a"], &[]), ApplyMode::Validate).await.is_err(), "nothing was declared");
}

#[tokio::test]
async fn nothing_goes_through_a_transport_that_is_not_connected() {
    let bus = open("unconnected");
    let refused = |error: Result<(), TransportError>| {
        assert!(matches!(error, Err(TransportError::Disconnected { .. })), "{error:?}");
    };
    for closed in [false, true] {
        let outcome = submit(&*bus, message(exchange("Placed"), "1")).await;
        match outcome {
            PublishOutcome::NotSent(reason) => assert_eq!(reason.to_string(), "not connected"),
            other => panic!("{other:?}"),
        }
        refused(bus.receive(bus_core::transport::ReceiverSettings::new("a".into(), 1)).await.map(drop));
        refused(bus.browse("a", 1).await.map(drop));
        refused(bus.apply(&topology(&["a"], &[]), ApplyMode::Create).await);
        assert!(bus.health().is_err());
        if !closed {
            bus.connect(Clock::real().now()).await.unwrap();
            assert_eq!(bus.health(), Ok(()));
            bus.apply(&topology(&["a"], &[]), ApplyMode::Create).await.unwrap();
            bus.close(Clock::real().now()).await;
        }
    }
}

#[tokio::test]
async fn browsing_shows_the_first_messages_and_leaves_them() {
    let bus = broker("browse", &["orders"], &[]).await;
    let mut marked = message(queue("orders"), "1");
    marked.message_id = Some("id-1".into());
    marked.headers.set("MT-Reason", "fault");
    submit(&*bus, marked).await;
    send(&*bus, &queue("orders"), &["2", "3"]).await;
    for _ in 0..2 {
        let found = bus.browse("orders", 2).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].message_id.as_deref(), found[0].reason()), (Some("id-1"), Some("fault")));
        assert_eq!((found[0].queue.as_str(), &*found[1].body), ("orders", &b"2"[..]));
    }
    assert_eq!(lying(&*bus, "orders").await, ["1", "2", "3"]);
    assert_eq!(lying(&*bus, "no-such-queue").await, [""; 0]);
}

#[tokio::test]
async fn direct_and_topic_exchanges_look_at_the_routing_key() {
    let mut wanted = topology(&["eu", "all", "west"], &[]);
    wanted.topic(&"prices".into(), TopicKind::Topic);
    wanted.topic(&"regions".into(), TopicKind::Direct);
    for (source, to, key) in [("prices", "eu", "eu.*"), ("prices", "all", "#"), ("regions", "west", "west")] {
        wanted.bind(&source.into(), Destination::Queue(to.into()), key);
    }
    let bus = open("keys");
    bus.connect(Clock::real().now()).await.unwrap();
    bus.apply(&wanted, ApplyMode::Create).await.unwrap();
    for (to, key) in [("prices", "eu.west"), ("prices", "us.west"), ("regions", "west"), ("regions", "east")] {
        let mut keyed = message(exchange(to), key);
        keyed.routing_key = Some(key.into());
        assert!(matches!(submit(&*bus, keyed).await, PublishOutcome::Confirmed));
    }
    assert_eq!(lying(&*bus, "eu").await, ["eu.west"]);
    assert_eq!(lying(&*bus, "all").await, ["eu.west", "us.west"]);
    assert_eq!(lying(&*bus, "west").await, ["west"]);
    wanted.topics[0].kind = TopicKind::Fanout;
    assert!(matches!(bus.apply(&wanted, ApplyMode::Create).await, Err(TransportError::Topology { .. })));
}

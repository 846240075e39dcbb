use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    address::Destination,
    transport::{Class, EnsureQueue, PublishOutcome, Transport},
};
use bus_rabbitmq::NativeProperties;
use bytes::Bytes;

use crate::server::{Rabbit, complete, delivery, published, ready, receiver, send, to};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_confirmed_and_arrives_as_it_was_sent() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut message = to("q", "m1");
    message.content_type = Some("application/json".into());
    message.correlation_id = Some("c1".into());
    message.headers.set("Int", 7_i64);
    message.headers.set("Text", "x");
    let mut native = NativeProperties::default();
    native.app_id = Some("shop".into());
    message.extensions.insert(native);
    message.priority = Some(3);
    assert!(matches!(send(&transport, message.clone()).await, PublishOutcome::Confirmed));
    let mut receiver = receiver(&transport, "q", 10).await;
    let delivery = delivery(&mut receiver).await;
    assert_eq!(delivery.body, Bytes::from_static(b"m1"));
    assert_eq!(delivery.message_id.as_deref(), Some("m1"));
    assert_eq!(delivery.correlation_id.as_deref(), Some("c1"));
    assert_eq!(delivery.content_type.as_deref(), Some("application/json"));
    assert_eq!(delivery.headers, message.headers);
    assert_eq!(delivery.extensions.get::<NativeProperties>().and_then(|native| native.app_id.as_deref()), Some("shop"));
    assert_eq!(delivery.priority, Some(3));
    assert!(delivery.durable && !delivery.redelivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_a_missing_queue_is_unroutable() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    assert!(matches!(send(&transport, to("nobody", 1)).await, PublishOutcome::Unroutable));
    // A topic without subscribers is no error unless somebody has to get it.
    assert!(matches!(send(&transport, published("T", 2)).await, PublishOutcome::Confirmed));
    let mut mandatory = published("T", 3);
    mandatory.mandatory = true;
    assert!(matches!(send(&transport, mandatory).await, PublishOutcome::Unroutable));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seventh_of_ten_thousand_is_unroutable_and_no_other() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    for number in 0..10_000 {
        let queue = if number % 7 == 0 { "nobody" } else { "q" };
        let permit = publisher.ready(10, Class::Application).await;
        confirms.push(publisher.submit(permit, to(queue, number)));
    }
    for (number, confirm) in confirms.into_iter().enumerate() {
        match (confirm.await, number % 7 == 0) {
            (PublishOutcome::Unroutable, true) | (PublishOutcome::Confirmed, false) => {}
            (outcome, _) => panic!("{number}: {outcome:?}"),
        }
    }
    assert_eq!(ready(&transport, "q").await, 10_000 - 10_000_usize.div_ceil(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_publisher_arrive_in_order() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let confirms: Vec<_> = pipelined(&transport, (0..500).map(|number| to("q", number))).await;
    assert!(confirms.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)));
    let found = transport.browse("q", 500).await.unwrap();
    let bodies: Vec<_> = found.iter().map(|letter| String::from_utf8_lossy(&letter.body).into_owned()).collect();
    assert_eq!(bodies, (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_broker_cannot_take_fails_alone() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    // An internal exchange takes no publishes: 403, and the channel is closed.
    rabbit.put("exchanges", "internal", r#"{"type":"fanout","durable":true,"internal":true}"#);
    let messages = (0..200).map(|number| if number == 100 { published("internal", number) } else { to("q", number) });
    let outcomes = pipelined(&transport, messages).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match outcome {
            PublishOutcome::Rejected(reason) if number == 100 => {
                assert!(reason.to_string().contains("internal"), "{reason}");
            }
            PublishOutcome::Confirmed if number != 100 => {}
            outcome => panic!("{number}: {outcome:?}"),
        }
    }
    let found = transport.browse("q", 1000).await.unwrap();
    let ids: BTreeSet<_> = found.iter().filter_map(|letter| letter.message_id.clone()).collect();
    assert_eq!(ids.len(), 199, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_and_the_sender_is_told() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let full = r#"{"durable":true,"arguments":{"x-max-length":1,"x-overflow":"reject-publish"}}"#;
    rabbit.put("queues", "full", full);
    assert!(matches!(send(&transport, to("full", 1)).await, PublishOutcome::Confirmed));
    let mut outcomes = Vec::new();
    for number in 2..5 {
        outcomes.push(send(&transport, to("full", number)).await);
    }
    assert!(outcomes.iter().any(|outcome| matches!(outcome, PublishOutcome::Rejected(_))), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_deleted_or_has_another_type_does_not_stop_publishing() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    assert!(matches!(send(&transport, published("T", 1)).await, PublishOutcome::Confirmed));
    rabbit.delete("exchanges", "T");
    let outcomes = pipelined(&transport, (2..20).map(|number| published("T", number))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)), "{outcomes:?}");
    rabbit.put("exchanges", "Foreign", r#"{"type":"topic","durable":false}"#);
    assert!(matches!(send(&transport, published("Foreign", 21)).await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ensured_queue_is_made_used_as_it_is_and_made_again() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let moved = |number: u32| {
        let mut message = to("q_error", number);
        message.extensions.insert(EnsureQueue { like: "q".into() });
        message
    };
    assert!(matches!(send(&transport, moved(1)).await, PublishOutcome::Confirmed));
    assert_eq!(ready(&transport, "q_error").await, 1);
    rabbit.delete("queues", "q_error");
    assert!(matches!(send(&transport, moved(2)).await, PublishOutcome::Confirmed));
    assert_eq!(ready(&transport, "q_error").await, 1);
    // Somebody else's, with arguments that ours would not have.
    rabbit.put("queues", "other_error", r#"{"durable":true,"arguments":{"x-expires":600000}}"#);
    let mut message = moved(3);
    message.to = Destination::Queue("other_error".into());
    assert!(matches!(send(&transport, message).await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_whose_queue_was_made_again_arrive_in_order() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let moved = |number: u32| {
        let mut message = to("q_error", number);
        message.extensions.insert(EnsureQueue { like: "q".into() });
        message
    };
    send(&transport, moved(0)).await;
    rabbit.delete("queues", "q_error");
    let outcomes = pipelined(&transport, (1..15).map(moved)).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)), "{outcomes:?}");
    let found = transport.browse("q_error", 100).await.unwrap();
    let ids: Vec<_> = found.iter().filter_map(|letter| letter.message_id.clone()).collect();
    assert_eq!(ids, (1..15).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_declared_is_used_as_it_is() {
    let rabbit = Rabbit::new();
    rabbit.with_queue("q_error").await;
    let transport = rabbit.connected_without_configure().await;
    let moved = |queue: &str| {
        let mut message = to(queue, 1);
        message.extensions.insert(EnsureQueue { like: "q".into() });
        message
    };
    assert!(matches!(send(&transport, moved("q_error")).await, PublishOutcome::Confirmed));
    assert!(matches!(send(&transport, published("q_error", 2)).await, PublishOutcome::Confirmed));
    for (missing, says) in
        [(moved("missing_error"), "access to queue 'missing_error'"), (published("Missing", 3), "Missing")]
    {
        match send(&transport, missing).await {
            PublishOutcome::Rejected(reason) => assert!(reason.to_string().contains(says), "{reason}"),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_a_message_is_not_sent_at_its_deadline() {
    let rabbit = Rabbit::new();
    let transport = rabbit.open();
    let mut message = to("q", 1);
    message.deadline = Instant::now() + Duration::from_millis(50);
    match send(&transport, message).await {
        PublishOutcome::NotSent(reason) => assert!(reason.to_string().contains("not connected"), "{reason}"),
        outcome => panic!("{outcome:?}"),
    }
    // What is submitted before the connection is there waits for it.
    let publisher = transport.publisher();
    let permit = publisher.ready(1, Class::Application).await;
    let confirm = publisher.submit(permit, published("T", 2));
    transport.connect(crate::server::soon()).await.unwrap();
    assert!(matches!(confirm.await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_confirms_and_takes_no_more() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    for number in 0..300 {
        let permit = publisher.ready(1, Class::Application).await;
        confirms.push(publisher.submit(permit, to("q", number)));
    }
    transport.close(crate::server::soon()).await;
    for confirm in confirms {
        assert!(matches!(confirm.await, PublishOutcome::Confirmed));
    }
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::NotSent(_)));
    let second = rabbit.connected().await;
    let mut receiver = receiver(&second, "q", 10).await;
    complete(delivery(&mut receiver).await).await;
}

pub(crate) async fn pipelined(
    transport: &Arc<dyn Transport>,
    messages: impl Iterator<Item = bus_core::transport::Outgoing>,
) -> Vec<PublishOutcome> {
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    for message in messages {
        let permit = publisher.ready(message.body.len(), Class::Application).await;
        confirms.push(publisher.submit(permit, message));
    }
    futures_util::future::join_all(confirms).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_with_properties_of_its_own_is_left_to_its_owner() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    let mut message = to("unused", 1);
    message.to = transport.resolve(&"rabbitmq://h/theirs?type=topic".parse().unwrap()).unwrap();
    match send(&transport, message.clone()).await {
        PublishOutcome::Rejected(reason) => assert!(reason.to_string().contains("theirs"), "{reason}"),
        outcome => panic!("{outcome:?}"),
    }
    rabbit.put("exchanges", "theirs", r#"{"type":"topic","durable":true}"#);
    assert!(matches!(send(&transport, message).await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_message_is_delivered_to_its_queue_alone() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("other").await;
    let mut moved = to("q_error", 1);
    moved.extensions.insert(EnsureQueue { like: "q".into() });
    moved.headers.set("CC", bus_core::envelope::HeaderValue::List(vec!["other".into()]));
    assert!(matches!(send(&transport, moved.clone()).await, PublishOutcome::Confirmed));
    // A confirm for the other queue would hide that this one is gone.
    rabbit.delete("queues", "q_error");
    assert!(matches!(send(&transport, moved).await, PublishOutcome::Confirmed));
    assert_eq!((ready(&transport, "q_error").await, ready(&transport, "other").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_on_the_exchange_of_a_queue_does_not_hide_that_the_queue_is_gone() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    rabbit.put("queues", "tap", r#"{"durable":true}"#);
    rabbit.bind("q", "tap");
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    assert_eq!((ready(&transport, "q").await, ready(&transport, "tap").await), (1, 0), "it goes past the exchange");
    rabbit.delete("queues", "q");
    assert!(matches!(send(&transport, to("q", 2)).await, PublishOutcome::Unroutable));
    assert_eq!(ready(&transport, "tap").await, 0);
    // What is sent to the exchange is for whoever is bound to it.
    let mut tapped = published("q", 3);
    tapped.mandatory = true;
    assert!(matches!(send(&transport, tapped).await, PublishOutcome::Confirmed));
    assert_eq!(ready(&transport, "tap").await, 1);
}

//! A broker that does not answer everything, or not as it should.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bus_core::transport::{ApplyMode, Class, EnsureQueue, Event, Outgoing, PublishOutcome};
use futures_util::FutureExt;

use crate::{
    frames::{CONFIRM, QUEUE_DECLARED, losing, relay, spoiling},
    server::{Rabbit, events, published, queues, receiver, send, to, until_ready},
};

fn for_a_second(mut message: Outgoing) -> Outgoing {
    message.deadline = Instant::now() + Duration::from_secs(1);
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_is_never_confirmed_does_not_stop_publishing() {
    let rabbit = Rabbit::new();
    let relay = relay();
    rabbit.with_queue("q").await;
    rabbit.put("exchanges", "internal", r#"{"type":"fanout","durable":true,"internal":true}"#);
    let transport = rabbit.connected_through(relay.port()).await;
    assert!(matches!(send(&transport, to("q", 0)).await, PublishOutcome::Confirmed));
    relay.filter(losing(CONFIRM, ""));
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    // The second closes the channel; then each is sent alone, and the first is never confirmed.
    for message in [to("q", 1), published("internal", 2)] {
        let permit = publisher.ready(1, Class::Application).await;
        confirms.push(publisher.submit(permit, for_a_second(message)));
    }
    assert!(matches!(confirms.remove(0).await, PublishOutcome::Unknown(_)));
    drop(confirms);
    relay.unfilter();
    assert!(matches!(send(&transport, to("q", 3)).await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_made_holds_up_its_own_messages_alone() {
    let rabbit = Rabbit::new();
    let relay = relay();
    rabbit.with_queue("q").await;
    let transport = rabbit.connected_through(relay.port()).await;
    relay.filter(losing(QUEUE_DECLARED, "stuck"));
    let publisher = transport.publisher();
    let mut moved = to("stuck", 1);
    moved.extensions.insert(EnsureQueue { like: "q".into() });
    let permit = publisher.ready(1, Class::Application).await;
    let stuck = publisher.submit(permit, moved);
    assert!(matches!(send(&transport, to("q", 2)).await, PublishOutcome::Confirmed));
    // The broker is asked again.
    relay.unfilter();
    assert!(matches!(stuck.await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_message_is_not_refused_because_its_levels_were_not_declared_in_time() {
    let rabbit = Rabbit::new();
    let relay = relay();
    rabbit.with_queue("q").await;
    let transport = rabbit.connected_through(relay.port()).await;
    let (lose, lost) = (losing(QUEUE_DECLARED, "bus-delay-level-"), AtomicBool::new(false));
    // One answer, and no other.
    relay.filter(move |frame| lost.load(Ordering::Relaxed) || lose(frame) || lost.swap(true, Ordering::Relaxed));
    let mut late = to("q", 1);
    late.delay = Some(Duration::from_secs(1));
    let outcome = send(&transport, late).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    until_ready(&transport, "q", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_nobody_polls_does_not_keep_the_connection_from_coming_back() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut receiver = receiver(&transport, "q", 1).await;
    let topology = queues(&["q", "other"]);
    let mut apply = transport.apply(&topology, ApplyMode::Create);
    // Begun, and then its caller has something else to do.
    assert!((&mut apply).now_or_never().is_none());
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    drop(apply);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_does_not_answer_does_not_keep_the_others_down() {
    let rabbit = Rabbit::new();
    let relay = relay();
    let transport = rabbit.connected_through(relay.port()).await;
    transport.apply(&queues(&["stuck", "q"]), ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "q", 1).await;
    relay.filter(losing(QUEUE_DECLARED, "stuck"));
    rabbit.close_connections(2).await;
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Lost(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_into_a_queue_that_does_not_answer_ends() {
    let rabbit = Rabbit::new();
    let relay = relay();
    let transport = rabbit.connected_through(relay.port()).await;
    transport.apply(&queues(&["stuck"]), ApplyMode::Create).await.unwrap();
    relay.filter(losing(QUEUE_DECLARED, "stuck"));
    let looked = tokio::time::timeout(Duration::from_secs(60), transport.browse("stuck", 1)).await;
    let words = looked.expect("an end").unwrap_err().to_string();
    assert!(words.contains("queue `stuck`"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_shows_in_health_until_it_is_gone() {
    let rabbit = Rabbit::new();
    let relay = relay();
    let transport = rabbit.connected_through(relay.port()).await;
    transport.apply(&queues(&["a", "b"]), ApplyMode::Create).await.unwrap();
    let mut innocent = receiver(&transport, "b", 1).await;
    relay.filter(spoiling("spoilt"));
    assert!(matches!(send(&transport, to("a", "spoilt")).await, PublishOutcome::Confirmed));
    let _reader = receiver(&transport, "a", 1).await;
    for _ in 0..3 {
        assert!(matches!(events(&mut innocent, 1).await[..], [Event::Lost(_)]));
        assert!(matches!(events(&mut innocent, 1).await[..], [Event::Restored]));
        let health = transport.health().unwrap_err();
        assert!(health.contains("a message that the client cannot read"), "{health}");
    }
    relay.unfilter();
    while transport.health().is_err() {
        tokio::task::yield_now().await;
    }
}

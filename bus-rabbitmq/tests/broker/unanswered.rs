//! A broker that does not answer everything.

use std::time::{Duration, Instant};

use bus_core::transport::{Class, EnsureQueue, Outgoing, PublishOutcome};

use crate::{
    proxy::{CONFIRM, Proxy, QUEUE_DECLARED},
    server::{Rabbit, published, send, to},
};

fn for_a_second(mut message: Outgoing) -> Outgoing {
    message.deadline = Instant::now() + Duration::from_secs(1);
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_that_is_never_confirmed_does_not_stop_publishing() {
    let rabbit = Rabbit::new();
    let proxy = Proxy::losing(CONFIRM, "");
    rabbit.with_queue("q").await;
    rabbit.put("exchanges", "internal", r#"{"type":"fanout","durable":true,"internal":true}"#);
    let transport = rabbit.connected_through(proxy.port).await;
    assert!(matches!(send(&transport, to("q", 0)).await, PublishOutcome::Confirmed));
    proxy.lose(true);
    let publisher = transport.publisher();
    let mut confirms = Vec::new();
    // The second closes the channel; then each is sent alone, and the first is never confirmed.
    for message in [to("q", 1), published("internal", 2)] {
        let permit = publisher.ready(1, Class::Application).await;
        confirms.push(publisher.submit(permit, for_a_second(message)));
    }
    assert!(matches!(confirms.remove(0).await, PublishOutcome::Unknown(_)));
    drop(confirms);
    proxy.lose(false);
    assert!(matches!(send(&transport, to("q", 3)).await, PublishOutcome::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_made_holds_up_its_own_messages_alone() {
    let rabbit = Rabbit::new();
    let proxy = Proxy::losing(QUEUE_DECLARED, "stuck");
    rabbit.with_queue("q").await;
    let transport = rabbit.connected_through(proxy.port).await;
    proxy.lose(true);
    let publisher = transport.publisher();
    let mut moved = to("stuck", 1);
    moved.extensions.insert(EnsureQueue { like: "q".into() });
    let permit = publisher.ready(1, Class::Application).await;
    let stuck = publisher.submit(permit, moved);
    assert!(matches!(send(&transport, to("q", 2)).await, PublishOutcome::Confirmed));
    // The broker is asked again.
    proxy.lose(false);
    assert!(matches!(stuck.await, PublishOutcome::Confirmed));
}

use bus_core::transport::Settlement;
use futures_util::FutureExt;

use crate::fixture::{broker, deliveries, done, lying, message, queue, receiver, send, shown, submit};

#[tokio::test]
async fn a_delivery_has_what_the_sender_gave() {
    let bus = broker("content", &["orders"], &[]).await;
    let mut sent = message(queue("orders"), "body");
    sent.content_type = Some("application/json".into());
    sent.message_id = Some("id".into());
    sent.correlation_id = Some("order 7".into());
    sent.headers.set("tenant", 7);
    sent.durable = false;
    sent.routing_key = Some("eu.west".into());
    sent.priority = Some(9);
    submit(&*bus, sent.clone()).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let [got] = deliveries(&mut *consumer).try_into().unwrap();
    assert_eq!((got.body, got.headers, got.durable), (sent.body, sent.headers, false));
    assert_eq!((got.content_type, got.message_id), (sent.content_type, sent.message_id));
    assert_eq!((got.correlation_id, got.redelivered), (sent.correlation_id, false));
    assert_eq!((got.routing_key, got.priority), (sent.routing_key, Some(9)));
}

#[tokio::test]
async fn competing_consumers_get_messages_by_turns() {
    let bus = broker("turns", &["orders"], &[]).await;
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(receiver(&*bus, "orders", 10).await);
    }
    send(&*bus, &queue("orders"), &["1", "2", "3", "4", "5", "6", "7"]).await;
    let got: Vec<_> = consumers.iter_mut().map(|consumer| deliveries(&mut **consumer)).collect();
    assert_eq!(got.iter().map(shown).collect::<Vec<_>>(), [vec!["1", "4", "7"], vec!["2", "5"], vec!["3", "6"]]);
}

#[tokio::test]
async fn a_consumer_without_room_is_passed_over() {
    let bus = broker("full", &["orders"], &[]).await;
    let mut small = receiver(&*bus, "orders", 1).await;
    let mut large = receiver(&*bus, "orders", 10).await;
    send(&*bus, &queue("orders"), &["1", "2", "3", "4"]).await;
    let first = deliveries(&mut *small);
    assert_eq!(shown(&first), ["1"]);
    assert_eq!(shown(&deliveries(&mut *large)), ["2", "3", "4"]);
}

#[tokio::test]
async fn no_more_than_the_prefetch_is_unsettled_and_the_rest_follows_as_room_comes() {
    let bus = broker("prefetch", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut consumer = receiver(&*bus, "orders", 2).await;
    send(&*bus, &queue("orders"), &["4"]).await;
    // Two are in its buffer, which counts.
    assert_eq!(lying(&*bus, "orders").await, ["3", "4"]);
    let mut held = deliveries(&mut *consumer);
    assert_eq!(shown(&held), ["1", "2"]);
    assert_eq!(shown(&deliveries(&mut *consumer)), [""; 0]);
    held.remove(1).unsettled.settle(Settlement::Complete).await;
    held.extend(deliveries(&mut *consumer));
    assert_eq!(shown(&held), ["1", "3"]);
    held.remove(0).unsettled.settle(Settlement::Complete).await;
    held.extend(deliveries(&mut *consumer));
    assert_eq!(shown(&held), ["3", "4"]);
}

#[tokio::test]
async fn a_batch_has_at_most_as_many_as_asked_for() {
    let bus = broker("batch", &["orders"], &[]).await;
    send(&*bus, &queue("orders"), &["1", "2", "3"]).await;
    let mut consumer = receiver(&*bus, "orders", 10).await;
    let mut events = Vec::new();
    done(consumer.next(2, &mut events)).await;
    assert_eq!(events.len(), 2);
    done(consumer.next(2, &mut events)).await;
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_and_a_cancelled_wait_loses_nothing() {
    let bus = broker("wake", &["orders"], &[]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let mut events = Vec::new();
    assert!(consumer.next(1, &mut events).now_or_never().is_none());
    let waiting = tokio::spawn(async move {
        let mut events = Vec::new();
        consumer.next(1, &mut events).await;
        (consumer, events.len())
    });
    // The task runs up to its wait before this one goes on: the runtime has one thread.
    tokio::task::yield_now().await;
    send(&*bus, &queue("orders"), &["1"]).await;
    let (_consumer, got) = done(waiting).await.unwrap();
    assert_eq!(got, 1);
}

#[tokio::test]
async fn a_receiver_whose_queue_never_runs_dry_lets_other_tasks_run() {
    let bus = broker("busy", &["orders"], &[]).await;
    let mut consumer = receiver(&*bus, "orders", 1).await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let busy = tokio::spawn(async move {
        let mut events = Vec::new();
        for _ in 0..100_000 {
            if stopped.try_recv().is_ok() {
                return true;
            }
            // Dropped, the delivery goes back; so there is always one.
            events.clear();
            consumer.next(1, &mut events).await;
        }
        false
    });
    send(&*bus, &queue("orders"), &["1"]).await;
    tokio::task::yield_now().await;
    stop.send(()).unwrap();
    assert!(done(busy).await.unwrap(), "it kept the thread");
}

use std::{sync::Arc, time::Duration};

use bus_core::{
    clock::Clock,
    transport::{Outgoing, PublishOutcome, Settlement, Transport},
};
use bus_inmemory::endpoint;

use crate::fixture::{
    broker_at, deliveries, exchange, lying, message, pass, queue, receiver, send, submit, topology, topology_with,
};

const SECOND: Duration = Duration::from_secs(1);

/// `small` and `tiny` hold two and one, `open` holds anything; `Placed` goes to all of them.
async fn limited(name: &str) -> (Arc<dyn Transport>, Clock) {
    let clock = Clock::manual(1);
    let limits = [("small", endpoint().max_length(2)), ("tiny", endpoint().max_length(1)), ("open", endpoint())];
    let bindings = topology(&[], &[("Placed", "open"), ("Placed", "small"), ("Placed", "tiny")]);
    let mut wanted = topology_with(&limits);
    (wanted.topics, wanted.bindings) = (bindings.topics, bindings.bindings);
    (broker_at(&format!("max-{name}"), &clock, &wanted).await, clock)
}

async fn refusal(transport: &dyn Transport, message: Outgoing) -> String {
    match submit(transport, message).await {
        PublishOutcome::Rejected(reason) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_full_queue_refuses_the_newest() {
    let (bus, _) = limited("full").await;
    send(&*bus, &queue("small"), &["1", "2"]).await;
    assert_eq!(
        refusal(&*bus, message(queue("small"), "3")).await,
        "the queue `small` is full: as many messages wait there as its `max_length` says, 2"
    );
    assert_eq!(lying(&*bus, "small").await, ["1", "2"]);
}

#[tokio::test]
async fn what_a_consumer_has_does_not_count() {
    let (bus, _) = limited("counts").await;
    let mut consumer = receiver(&*bus, "small", 2).await;
    send(&*bus, &queue("small"), &["1", "2", "3", "4"]).await;
    refusal(&*bus, message(queue("small"), "5")).await;
    let [first, second] = deliveries(&mut *consumer).try_into().unwrap();
    first.unsettled.settle(Settlement::Complete).await;
    send(&*bus, &queue("small"), &["5"]).await;
    consumer.pause();
    drop(second);
    assert_eq!(lying(&*bus, "small").await, ["2", "3", "4", "5"], "what comes back is never refused");
}

#[tokio::test]
async fn a_message_for_several_queues_goes_to_none_if_one_is_full() {
    let (bus, _) = limited("none").await;
    send(&*bus, &exchange("Placed"), &["1"]).await;
    assert_eq!(
        refusal(&*bus, message(exchange("Placed"), "2")).await,
        "the queue `tiny` is full: as many messages wait there as its `max_length` says, 1"
    );
    for name in ["small", "tiny", "open"] {
        assert_eq!(lying(&*bus, name).await, ["1"], "{name}");
    }
}

#[tokio::test]
async fn what_expired_makes_room() {
    let (bus, clock) = limited("expired-room").await;
    let mut mortal = message(queue("tiny"), "1");
    mortal.time_to_live = Some(SECOND);
    submit(&*bus, mortal).await;
    refusal(&*bus, message(queue("tiny"), "2")).await;
    pass(&clock, SECOND);
    send(&*bus, &queue("tiny"), &["2"]).await;
    assert_eq!(lying(&*bus, "tiny").await, ["2"]);
}

#[tokio::test]
async fn a_delayed_message_enters_a_full_queue() {
    let (bus, clock) = limited("late").await;
    let mut late = message(queue("tiny"), "late");
    late.delay = Some(SECOND);
    submit(&*bus, late).await;
    send(&*bus, &queue("tiny"), &["1"]).await;
    pass(&clock, SECOND);
    assert_eq!(lying(&*bus, "tiny").await, ["1", "late"]);
}

/// Two kinds of publishers, whose messages go to the same limited queues in different orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_a_queue_never_holds_more_and_copies_are_never_torn() {
    let limits = [("a", endpoint().max_length(50)), ("b", endpoint().max_length(50))];
    let bindings = topology(&[], &[("One", "a"), ("One", "b"), ("Two", "b"), ("Two", "a")]);
    let mut wanted = topology_with(&limits);
    (wanted.topics, wanted.bindings) = (bindings.topics, bindings.bindings);
    let bus = broker_at("max-torn", &Clock::real(), &wanted).await;
    let publishers: Vec<_> = ["One", "Two", "One", "Two"]
        .map(|topic| {
            let bus = bus.clone();
            tokio::spawn(async move {
                let mut confirmed = 0;
                for _ in 0..1000 {
                    let outcome = submit(&*bus, message(exchange(topic), "1")).await;
                    confirmed += usize::from(matches!(outcome, PublishOutcome::Confirmed));
                }
                confirmed
            })
        })
        .into();
    let mut confirmed = 0;
    for publisher in publishers {
        confirmed += crate::fixture::done(publisher).await.unwrap();
    }
    assert_eq!((confirmed, lying(&*bus, "a").await.len(), lying(&*bus, "b").await.len()), (50, 50, 50));
}

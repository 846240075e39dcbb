use std::{collections::BTreeSet, time::Duration};

use bus_core::transport::{Event, PublishOutcome, ReceiverSettings, SettleOutcome, Settlement, TransportError};

use crate::{
    publish::pipelined,
    server::{Rabbit, complete, delivery, events, ready, receiver, send, soon, to},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_completed_is_gone_and_what_is_dropped_comes_again() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    pipelined(&transport, (0..2).map(|number| to("q", number))).await;
    let mut receiver = receiver(&transport, "q", 10).await;
    let first = delivery(&mut receiver).await;
    assert_eq!(complete(first).await, SettleOutcome::Settled);
    let second = delivery(&mut receiver).await;
    assert!(!second.redelivered);
    drop(second);
    let again = delivery(&mut receiver).await;
    assert!(again.redelivered);
    assert_eq!(again.message_id.as_deref(), Some("1"));
    assert_eq!(complete(again).await, SettleOutcome::Settled);
    receiver.close(soon()).await;
    assert_eq!(ready(&transport, "q").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn settlements_in_any_order_settle_each_delivery_once() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    pipelined(&transport, (0..1000).map(|number| to("q", number))).await;
    let mut receiver = receiver(&transport, "q", 50).await;
    let (mut held, mut done, mut released) = (Vec::new(), 0, 0);
    while done < 1000 {
        for event in events(&mut receiver, 20).await {
            match event {
                Event::Delivery(delivery) => held.push(delivery),
                event => panic!("{event:?}"),
            }
        }
        // Keep some, settle from the middle, give some back.
        while held.len() > 10 || (done + held.len() >= 1000 && !held.is_empty()) {
            let delivery = held.swap_remove(held.len() / 2);
            if !delivery.redelivered && delivery.message_id.as_deref().is_some_and(|id| id.ends_with('3')) {
                drop(delivery);
                released += 1;
                break;
            }
            drop(delivery.unsettled.settle(Settlement::Complete));
            done += 1;
        }
    }
    assert_eq!(released, 100);
    receiver.close(soon()).await;
    assert_eq!(ready(&transport, "q").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_prefetch_is_out_at_once() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    pipelined(&transport, (0..20).map(|number| to("q", number))).await;
    let mut first = receiver(&transport, "q", 5).await;
    let mut held = Vec::new();
    while held.len() < 5 {
        held.extend(events(&mut first, 100).await);
    }
    // The rest goes to another receiver: the first one has its five.
    let mut second = receiver(&transport, "q", 100).await;
    for _ in 0..15 {
        complete(delivery(&mut second).await).await;
    }
    assert_eq!(held.len(), 5);
    let mut more = Vec::new();
    assert!(tokio::time::timeout(Duration::from_millis(100), first.next(1, &mut more)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_settlements_and_returns_the_rest() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    pipelined(&transport, (0..10).map(|number| to("q", number))).await;
    let mut receiver = receiver(&transport, "q", 10).await;
    let first = delivery(&mut receiver).await;
    receiver.pause();
    let mut closing = tokio::spawn(receiver.close(soon()));
    let waits = tokio::time::timeout(Duration::from_millis(100), &mut closing).await;
    assert!(waits.is_err(), "a delivery is out");
    assert_eq!(complete(first).await, SettleOutcome::Settled);
    closing.await.unwrap();
    assert_eq!(ready(&transport, "q").await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_receiver_can_still_settle() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    send(&transport, to("q", 1)).await;
    let mut first = receiver(&transport, "q", 10).await;
    let held = delivery(&mut first).await;
    first.pause();
    let mut second = receiver(&transport, "q", 10).await;
    // The broker knows of the pause once it gives to nobody but the second one.
    for number in 0..50 {
        send(&transport, to("q", number)).await;
    }
    let mut events = Vec::new();
    assert!(
        tokio::time::timeout(Duration::from_millis(200), async {
            loop {
                first.next(100, &mut events).await;
            }
        })
        .await
        .is_err()
    );
    assert!(events.iter().all(|event| matches!(event, Event::Delivery(_))), "{events:?}");
    assert_eq!(complete(held).await, SettleOutcome::Settled);
    complete(delivery(&mut second).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_subscription_fails_loudly() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    match transport.receive(ReceiverSettings::new("nobody".into(), 1)).await {
        Err(TransportError::Refused { action, source, .. }) => {
            assert_eq!(action, "receiving from queue `nobody`");
            assert!(source.to_string().contains("NOT_FOUND"), "{source}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_leaves_the_messages_where_they_are() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    assert_eq!(transport.browse("nobody", 10).await.unwrap().len(), 0);
    let mut message = to("q", 1);
    message.headers.set("MT-Reason", "fault");
    send(&transport, message).await;
    pipelined(&transport, (2..6).map(|number| to("q", number))).await;
    for _ in 0..3 {
        let found = transport.browse("q", 3).await.unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].message_id.as_deref(), Some("1"));
        assert_eq!(found[0].reason(), Some("fault"));
    }
    assert_eq!(ready(&transport, "q").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_often_does_not_make_the_broker_delete_what_it_shows() {
    const LOOKS: usize = 45;
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    rabbit.put("queues", "quorum", r#"{"durable":true,"arguments":{"x-queue-type":"quorum","x-delivery-limit":20}}"#);
    let mut message = to("quorum", 1);
    message.headers.set("MT-Reason", "fault");
    message.priority = Some(3);
    assert!(matches!(send(&transport, message).await, PublishOutcome::Confirmed));
    assert!(matches!(send(&transport, to("quorum", 2)).await, PublishOutcome::Confirmed));
    for look in 0..LOOKS {
        // A queue that was just declared may say that it is empty.
        let found = match transport.browse("quorum", 10).await.unwrap() {
            found if found.is_empty() && look == 0 => continue,
            found => found,
        };
        let ids: BTreeSet<_> = found.iter().filter_map(|letter| letter.message_id.as_deref()).collect();
        assert_eq!((found.len(), ids), (2, BTreeSet::from(["1", "2"])), "look {look}");
    }
    let mut receiver = receiver(&transport, "quorum", 10).await;
    let first = delivery(&mut receiver).await;
    assert_eq!((&*first.body, first.priority, first.headers.text("MT-Reason")), (&b"1"[..], Some(3), Some("fault")));
    assert!(first.durable && first.broker_deliveries.unwrap_or_default() < 10, "{:?}", first.broker_deliveries);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_into_a_queue_that_is_just_declared_costs_no_other_connection() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut receiver = receiver(&transport, "q", 1).await;
    for number in 0..20 {
        let name = format!("quorum-{number}");
        rabbit.put("queues", &name, r#"{"durable":true,"arguments":{"x-queue-type":"quorum"}}"#);
        assert_eq!(transport.browse(&name, 1).await.unwrap().len(), 0);
    }
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Delivery(_)]), "no loss before it");
}

use std::{
    collections::HashSet,
    net::TcpListener,
    time::{Duration, Instant},
};

use bus_core::{
    Builder, Message,
    bus::Catalog,
    consumer::Failure,
    transport::{ApplyMode, Driver, Environment, Event, PublishOutcome, SettleOutcome, TransportError},
};
use bus_rabbitmq::DRIVER;
use serde::{Deserialize, Serialize};

use crate::{
    publish::pipelined,
    server::{Rabbit, amqp, complete, delivery, events, queues, receiver, send, soon, to},
};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_closed_connection_both_directions_go_on_and_nothing_is_lost() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut receiver = receiver(&transport, "q", 100).await;
    let sender = transport.clone();
    let sending = tokio::spawn(async move {
        let mut outcomes = Vec::new();
        for round in 0..100 {
            outcomes.extend(pipelined(&sender, (0..50).map(|number| to("q", round * 50 + number))).await);
        }
        outcomes
    });
    let closing = rabbit.close_connections(2);
    let (mut seen, mut lost, mut restored) = (HashSet::new(), 0, 0);
    let receiving = async {
        while seen.len() < 5000 || restored == 0 {
            for event in events(&mut receiver, 100).await {
                match event {
                    Event::Delivery(delivery) => {
                        let id = delivery.message_id.clone().unwrap();
                        if complete(*delivery).await == SettleOutcome::Settled {
                            seen.insert(id);
                        }
                    }
                    Event::Lost(_) => lost += 1,
                    Event::Restored => restored += 1,
                    event => panic!("{event:?}"),
                }
            }
        }
    };
    tokio::join!(closing, receiving);
    let outcomes = sending.await.unwrap();
    assert_eq!(outcomes.len(), 5000);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)));
    assert_eq!((lost, restored), (1, 1));
    assert_eq!(transport.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_from_before_a_reconnect_is_unknown() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    send(&transport, to("q", 1)).await;
    let mut receiver = receiver(&transport, "q", 10).await;
    let held = delivery(&mut receiver).await;
    rabbit.close_connections(2).await;
    let again = delivery(&mut receiver).await;
    assert!(again.redelivered);
    assert_eq!(complete(held).await, SettleOutcome::Unknown);
    assert_eq!(complete(again).await, SettleOutcome::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_under_its_consumer_comes_back() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut receiver = receiver(&transport, "q", 10).await;
    rabbit.delete("queues", "q");
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Cancelled(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
    assert_eq!(complete(delivery(&mut receiver).await).await, SettleOutcome::Settled);
}

// There again before its own consumer heard that it is gone, a quorum queue would go on with that consumer, and reach
// it never: it looks to the broker like a queue that failed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_comes_back_for_its_own_consumer_alone() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    transport.apply(&queues(&["q", "other"]), ApplyMode::Create).await.unwrap();
    let mut receiver = receiver(&transport, "q", 10).await;
    rabbit.delete("queues", "other");
    rabbit.delete("queues", "q");
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Cancelled(_)]));
    assert!(matches!(events(&mut receiver, 1).await[..], [Event::Restored]));
    assert!(matches!(send(&transport, to("other", 1)).await, PublishOutcome::Unroutable));
    assert!(matches!(send(&transport, to("q", 1)).await, PublishOutcome::Confirmed));
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", crate = bus_core)]
struct Numbered {
    number: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_of_a_deleted_queue_is_handled_all_the_same() {
    let rabbit = Rabbit::new();
    let (handled, mut numbers) = tokio::sync::mpsc::unbounded_channel();
    let (deleted, wait) = tokio::sync::watch::channel(false);
    let handle = move |message: Numbered| {
        let (handled, mut wait) = (handled.clone(), wait.clone());
        async move {
            wait.wait_for(|deleted| *deleted).await.unwrap();
            handled.send(message.number).unwrap();
            Ok::<_, Failure>(())
        }
    };
    let catalog = Catalog { drivers: vec![&DRIVER], missing: Vec::new() };
    let bus = Builder::new(rabbit.url(), catalog)
        .endpoint("q", |e| e.consumer(handle).concurrency(1).prefetch(5))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    for number in 0..5 {
        bus.send("queue:q", Numbered { number }).await.unwrap();
    }
    // All five are here, four of them in line.
    while rabbit.unacknowledged("q").await < 5 {
        tokio::task::yield_now().await;
    }
    rabbit.delete("queues", "q");
    while !bus.health().endpoints[0].problem.as_ref().is_some_and(|problem| problem.contains("cancelled")) {
        tokio::task::yield_now().await;
    }
    deleted.send(true).unwrap();
    for number in 0..5 {
        let next = tokio::time::timeout(Duration::from_secs(30), numbers.recv()).await;
        assert_eq!(next.expect("it is handled"), Some(number));
    }
    bus.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_or_virtual_host_fails_at_once() {
    let address = amqp().replace("amqp://", "").rsplit('@').next().unwrap().to_owned();
    for url in [format!("amqp://guest:wrong@{address}"), format!("{}/missing", amqp().trim_end_matches('/'))] {
        let transport = DRIVER.open(&url, Environment::default()).unwrap();
        let started = Instant::now();
        let error = transport.connect(soon()).await.unwrap_err();
        assert!(matches!(error, TransportError::AccessRefused { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(20));
        assert!(transport.health().unwrap_err().contains("refused"), "{:?}", transport.health());
        // It may be asked again, and fails again.
        assert!(matches!(transport.connect(soon()).await, Err(TransportError::AccessRefused { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_accepts_and_says_nothing_is_unreachable() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("amqp://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let transport = DRIVER.open(&url, Environment::default()).unwrap();
    for _ in 0..2 {
        let error = transport.connect(Instant::now() + Duration::from_millis(200)).await.unwrap_err();
        assert!(matches!(error, TransportError::Unreachable { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_broker_fails_at_the_deadline_and_may_be_tried_again() {
    // Nobody accepts behind a listener that is gone. Kept out of the ephemeral ports: a client could connect
    // to itself there.
    let port = (20_000..32_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let transport = DRIVER.open(&format!("amqp://u:secret@127.0.0.1:{port}"), Environment::default()).unwrap();
    for _ in 0..2 {
        match transport.connect(Instant::now() + Duration::from_millis(300)).await {
            Err(TransportError::Unreachable { address, source }) => {
                assert_eq!(address, format!("rabbitmq://127.0.0.1:{port}"));
                assert!(source.to_string().contains("refused"), "{source}");
            }
            other => panic!("{other:?}"),
        }
    }
    let health = transport.health().unwrap_err();
    assert!(health.contains("cannot publish") && health.contains("refused"), "{health}");
}

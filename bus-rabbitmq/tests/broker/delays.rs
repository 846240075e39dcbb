//! Delayed messages on the way through their levels.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bus_core::{
    Builder, Message,
    bus::{Catalog, EndpointBuilder},
    consumer::{Context, Failure},
    topology::{Queue, Topology},
    transport::{ApplyMode, Driver, Environment, Outgoing, PublishOutcome, Transport, TransportError},
};
use bus_rabbitmq::DRIVER;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use xtask::rabbitmq::Server;

use crate::{
    publish::pipelined,
    server::{Rabbit, complete, delivery, queues, ready, receiver, send, soon, to, until_ready},
};

const SECOND: Duration = Duration::from_secs(1);
const LEVELS: usize = 28;

fn late(queue: &str, id: impl std::fmt::Display, delay: Duration) -> Outgoing {
    let mut message = to(queue, id);
    message.delay = Some(delay);
    message
}

async fn confirmed(transport: &Arc<dyn Transport>, message: Outgoing) {
    let outcome = send(transport, message).await;
    assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
}

fn redelivering(name: &str) -> Topology {
    let mut topology = Topology::default();
    let mut queue = Queue::new(name.into());
    queue.redelivers = true;
    topology.queues.push(queue);
    topology
}

fn levels(rabbit: &Rabbit) -> usize {
    let queues = rabbit.get(&format!("queues/{}", rabbit.name()));
    queues.as_array().unwrap().iter().filter(|q| q["name"].as_str().unwrap().starts_with("bus-delay-level-")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_when_each_binary_digit_of_its_delay_is_over() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("eu.orders").await;
    transport.apply(&queues(&["orders"]), ApplyMode::Create).await.unwrap();
    let mut other = receiver(&transport, "orders", 10).await;
    let mut inbound = receiver(&transport, "eu.orders", 10).await;
    // So that the first one does not wait for the levels.
    confirmed(&transport, late("orders", "theirs", SECOND)).await;
    let begun = Instant::now();
    for seconds in [7, 5, 3] {
        let mut message = late("eu.orders", seconds, seconds * SECOND);
        message.headers.set("mine", "kept");
        message.priority = Some(4);
        confirmed(&transport, message).await;
    }
    for seconds in [3, 5, 7] {
        let arrived = delivery(&mut inbound).await;
        assert!(begun.elapsed() >= seconds * SECOND, "{:?} after {:?}", arrived.message_id, begun.elapsed());
        assert_eq!(arrived.message_id.as_deref(), Some(&*seconds.to_string()));
        assert_eq!((arrived.headers.text("mine"), arrived.priority, arrived.durable), (Some("kept"), Some(4), true));
        assert!(!arrived.redelivered && arrived.broker_deliveries.unwrap_or_default() == 0, "{arrived:?}");
        complete(arrived).await;
    }
    let theirs = delivery(&mut other).await;
    assert_eq!(theirs.message_id.as_deref(), Some("theirs"));
    complete(theirs).await;
    // What it may have got beside that is counted again.
    other.close(soon()).await;
    assert_eq!((ready(&transport, "orders").await, levels(&rabbit)), (0, LEVELS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_makes_the_same_trip_again_although_its_headers_tell_of_the_first() {
    // Two levels: the second one is noted where the first one hands over to it.
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    let mut inbound = receiver(&transport, "q", 10).await;
    confirmed(&transport, late("q", "twice", 3 * SECOND)).await;
    let first = delivery(&mut inbound).await;
    assert!(first.headers.get("x-death").is_some(), "{:?}", first.headers);
    let mut again = late("q", "twice", 3 * SECOND);
    again.headers = first.headers.clone();
    complete(first).await;
    confirmed(&transport, again).await;
    complete(delivery(&mut inbound).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_a_deleted_queue_wait_for_a_person_and_hold_up_nobody() {
    const GONE: usize = 40;
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("stays").await;
    rabbit.put("queues", "gone", r#"{"durable":true}"#);
    confirmed(&transport, late("stays", "first", SECOND)).await;
    pipelined(&transport, (0..GONE).map(|number| late("gone", number, 2 * SECOND))).await;
    rabbit.delete("queues", "gone");
    let mut inbound = receiver(&transport, "stays", 10).await;
    let begun = Instant::now();
    confirmed(&transport, late("stays", "behind", 2 * SECOND)).await;
    for expected in ["first", "behind"] {
        let arrived = delivery(&mut inbound).await;
        assert_eq!(arrived.message_id.as_deref(), Some(expected));
        complete(arrived).await;
    }
    // Twice its delay, on a slow machine.
    assert!(begun.elapsed() < 4 * SECOND, "it was held up: {:?}", begun.elapsed());
    assert_eq!(ready(&transport, "bus-undeliverable").await, GONE);
}

// RabbitMQ 3.10 hands over 32 messages of a level at a time. What a full queue refuses it keeps among these, and tries
// again after three minutes: with a 32nd, everything else of the level would wait that long.
#[tokio::test(flavor = "multi_thread")]
async fn a_few_messages_that_a_full_queue_refuses_wait_in_their_level_and_hold_up_nobody() {
    const REFUSED: usize = 30;
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("stays").await;
    rabbit.put("queues", "full", r#"{"durable":true,"arguments":{"x-max-length":1,"x-overflow":"reject-publish"}}"#);
    confirmed(&transport, to("full", "fills it")).await;
    confirmed(&transport, late("stays", "levels", SECOND)).await;
    pipelined(&transport, (0..REFUSED).map(|number| late("full", number, 2 * SECOND))).await;
    let mut inbound = receiver(&transport, "stays", 10).await;
    let begun = Instant::now();
    confirmed(&transport, late("stays", "behind", 2 * SECOND)).await;
    for expected in ["levels", "behind"] {
        let arrived = delivery(&mut inbound).await;
        assert_eq!(arrived.message_id.as_deref(), Some(expected));
        complete(arrived).await;
    }
    assert!(begun.elapsed() < 4 * SECOND, "it was held up: {:?}", begun.elapsed());
    let waiting = format!("queues/{}/bus-delay-level-01", rabbit.name());
    // As the API knows late.
    let deadline = soon();
    while rabbit.get(&waiting)["messages"].as_u64() != Some(REFUSED as u64) {
        assert!(Instant::now() < deadline, "{}", rabbit.get(&waiting));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((ready(&transport, "full").await, ready(&transport, "bus-undeliverable").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_live_of_a_delayed_message_begins_when_its_delay_is_over() {
    let rabbit = Rabbit::new();
    let transport = rabbit.with_queue("q").await;
    confirmed(&transport, late("q", "levels", SECOND)).await;
    let begun = Instant::now();
    for (id, delay, life) in
        [("over", SECOND, Duration::from_millis(1)), ("lives", 4 * SECOND, 3 * SECOND), ("long", SECOND, Duration::MAX)]
    {
        let mut message = late("q", id, delay);
        message.time_to_live = Some(life);
        confirmed(&transport, message).await;
    }
    // Nobody looks until the first one is over.
    until_ready(&transport, "q", 3).await;
    let mut inbound = receiver(&transport, "q", 10).await;
    for expected in ["levels", "long", "lives"] {
        let arrived = delivery(&mut inbound).await;
        assert_eq!(arrived.message_id.as_deref(), Some(expected));
        assert!(expected != "lives" || begun.elapsed() >= 4 * SECOND, "a level applied it: {:?}", begun.elapsed());
        complete(arrived).await;
    }
    inbound.close(soon()).await;
    assert_eq!(ready(&transport, "q").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deleted_of_the_levels_is_made_again() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    transport.apply(&redelivering("q"), ApplyMode::Create).await.unwrap();
    assert_eq!(levels(&rabbit), LEVELS);
    let mut inbound = receiver(&transport, "q", 10).await;
    confirmed(&transport, late("q", "before", SECOND)).await;
    complete(delivery(&mut inbound).await).await;
    for (kind, name, delay) in [
        ("queues", "bus-delay-level-00", 1),
        ("exchanges", "bus-delay-level-01", 2),
        ("queues", "bus-delay-level-01", 3),
    ] {
        rabbit.delete(kind, name);
        confirmed(&transport, late("q", name, delay * SECOND)).await;
        let arrived = delivery(&mut inbound).await;
        assert_eq!(arrived.message_id.as_deref(), Some(name));
        complete(arrived).await;
    }
    // The last steps are made again with everything else.
    rabbit.delete("exchanges", "bus-delay-delivery");
    transport.apply(&redelivering("q"), ApplyMode::Create).await.unwrap();
    confirmed(&transport, late("q", "round", SECOND)).await;
    assert_eq!(delivery(&mut inbound).await.message_id.as_deref(), Some("round"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_message_to_no_queue_is_unroutable_and_one_to_an_exchange_is_refused() {
    let rabbit = Rabbit::new();
    let transport = rabbit.connected().await;
    assert!(matches!(send(&transport, late("nobody", 1, SECOND)).await, PublishOutcome::Unroutable));
    let mut published = late("nobody", 2, SECOND);
    published.to = bus_core::address::Destination::Topic("Acme:Event".into());
    assert!(matches!(send(&transport, published).await, PublishOutcome::Rejected(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_declare_the_levels_uses_those_that_are_there() {
    let rabbit = Rabbit::new();
    drop(rabbit.with_queue("q").await);
    let lowly = rabbit.connected_without_configure().await;
    match send(&lowly, late("q", 1, SECOND)).await {
        PublishOutcome::Rejected(reason) => {
            assert!(reason.to_string().contains("access to queue 'bus-undeliverable'"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    rabbit.connected().await.apply(&redelivering("q"), ApplyMode::Create).await.unwrap();
    confirmed(&lowly, late("q", 2, SECOND)).await;
    let mut inbound = receiver(&lowly, "q", 1).await;
    complete(delivery(&mut inbound).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_levels_survives_a_killed_broker() {
    const MESSAGES: usize = 300;
    let mut server = tokio::task::spawn_blocking(|| Server::start().unwrap()).await.unwrap();
    let transport = DRIVER.open(&server.amqp_url(), Environment::default()).unwrap();
    transport.connect(soon()).await.unwrap();
    transport.apply(&redelivering("q"), ApplyMode::Create).await.unwrap();
    let delays = (1..=20).cycle().map(|tenths| tenths * SECOND / 2);
    let messages = (0..MESSAGES).zip(delays).map(|(number, delay)| late("q", number, delay));
    let outcomes = pipelined(&transport, messages).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, PublishOutcome::Confirmed)));
    // Some are in their queue by now, others between two levels.
    let mut inbound = receiver(&transport, "q", 100).await;
    let mut seen = HashSet::new();
    while seen.len() < MESSAGES / 5 {
        let arrived = delivery(&mut inbound).await;
        seen.insert(arrived.message_id.clone().unwrap());
        complete(arrived).await;
    }
    server.kill();
    let server = tokio::task::spawn_blocking(move || server.start_again().map(|()| server)).await.unwrap().unwrap();
    while seen.len() < MESSAGES {
        let arrived = delivery(&mut inbound).await;
        seen.insert(arrived.message_id.clone().unwrap());
        complete(arrived).await;
    }
    transport.close(soon()).await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_would_not_confirm_between_levels_is_refused_at_the_start() {
    // A cluster that came from an older version, and whose flags nobody enabled since.
    const OLD: &str = "[{rabbit, [{forced_feature_flags_on_init, [quorum_queue, implicit_default_bindings]}]}].\n";
    let server = tokio::task::spawn_blocking(|| Server::start_with(OLD).unwrap()).await.unwrap();
    let transport = DRIVER.open(&server.amqp_url(), Environment::default()).unwrap();
    transport.connect(soon()).await.unwrap();
    match transport.apply(&redelivering("q"), ApplyMode::Create).await {
        Err(TransportError::Topology { entity, source, .. }) => {
            assert_eq!(entity, "redelivery to queue `q`");
            assert!(source.to_string().contains("rabbitmqctl enable_feature_flag stream_queue"), "{source}");
        }
        other => panic!("{other:?}"),
    }
    transport.close(soon()).await;
    drop(server);
}

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.RabbitMq", crate = bus_core)]
struct Failed {}

fn builder(url: &str) -> Builder {
    Builder::new(url, Catalog { drivers: vec![&DRIVER], missing: Vec::new() })
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_several_levels_are_made_in_turn() {
    let rabbit = Rabbit::new();
    let (rounds, mut seen) = mpsc::unbounded_channel();
    let handler = move |_: Failed, ctx: Context| {
        // Whoever watched may be gone.
        let _ = rounds.send((ctx.redelivery_count(), Instant::now()));
        async { Err::<(), Failure>("no".into()) }
    };
    let delays = [3, 5, 7].map(|seconds| seconds * SECOND);
    let bus = builder(rabbit.url()).endpoint("work", |e| e.redeliver(delays).consumer(handler)).build().unwrap();
    bus.start().await.unwrap();
    bus.publish(Failed {}).await.unwrap();
    let (_, mut before) = seen.recv().await.unwrap();
    for (number, delay) in (1..).zip(delays) {
        let (round, at) = tokio::time::timeout(Duration::from_secs(30), seen.recv()).await.expect("a round").unwrap();
        assert_eq!(round, number);
        assert!(at >= before + delay, "round {round} after {:?}", at - before);
        before = at;
    }
    let transport = rabbit.connected().await;
    until_ready(&transport, "work_error", 1).await;
    bus.stop().await;
    assert_eq!((seen.try_recv().is_err(), ready(&transport, "work").await), (true, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_starts_with_other_delays_than_before_and_what_waited_counts_its_rounds_on() {
    let rabbit = Rabbit::new();
    let (rounds, mut seen) = mpsc::unbounded_channel();
    let started = async |delays: &[u32]| {
        let rounds = rounds.clone();
        let handler = move |_: Failed, ctx: Context| {
            // Whoever watched may be gone.
            let _ = rounds.send((ctx.redelivery_count(), Instant::now()));
            async { Err::<(), Failure>("no".into()) }
        };
        let delays: Vec<_> = delays.iter().map(|seconds| *seconds * SECOND).collect();
        let bus = builder(rabbit.url()).endpoint("work", |e| e.redeliver(delays).consumer(handler)).build().unwrap();
        bus.start().await.unwrap();
        bus
    };
    let mut next = async || tokio::time::timeout(Duration::from_secs(30), seen.recv()).await.expect("a round").unwrap();
    let before = started(&[1, 2]).await;
    before.publish(Failed {}).await.unwrap();
    assert_eq!(next().await.0, 0);
    before.stop().await;
    let after = started(&[3]).await;
    // Its second round is one too many now.
    assert_eq!(next().await.0, 1);
    let transport = rabbit.connected().await;
    until_ready(&transport, "work_error", 1).await;
    after.publish(Failed {}).await.unwrap();
    let (round, begun) = next().await;
    assert_eq!(round, 0);
    let (round, at) = next().await;
    assert!(round == 1 && at >= begun + 3 * SECOND, "round {round} after {:?}", at - begun);
    until_ready(&transport, "work_error", 2).await;
    after.stop().await;
}

#[test]
fn build_tells_of_names_that_leave_no_room_for_the_digits_and_of_a_single_active_consumer() {
    let problems = |name: &str, work: &dyn Fn(EndpointBuilder) -> EndpointBuilder| {
        let handler = async |_: Failed| Ok::<(), Failure>(());
        let endpoint = |e: EndpointBuilder| work(e).redeliver([SECOND]).consumer(handler);
        let built = builder("amqp://localhost").endpoint(name, endpoint).build();
        built.err().map_or_else(String::new, |error| error.to_string())
    };
    assert_eq!(problems(&"n".repeat(199), &|e| e), "");
    let long = problems(&"n".repeat(200), &|e| e);
    assert!(long.contains("its name has 200 bytes") && long.contains("199 are possible"), "{long}");
    let single = |e: EndpointBuilder| e.with(bus_rabbitmq::endpoint().single_active_consumer());
    assert!(problems("q", &single).contains("`.allow_reorder()`"));
    assert_eq!(problems("q", &|e| single(e).allow_reorder()), "");
}

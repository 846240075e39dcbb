//! A subscription that the broker forgets without a word.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    transport::{Driver, Environment, Event, Receiver, Settlement},
};
use bus_rabbitmq::DRIVER;
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::server::{Rabbit, receiver};

/// The machine's time for one of the clock's.
const TICK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

/// A quorum queue deleted and there again in one breath, so that its consumer may be moved to the new one without a word.
async fn take_over(connection: &lapin::Connection) {
    let channel = connection.create_channel().await.unwrap();
    let deletes = channel.queue_delete("q".into(), QueueDeleteOptions::default());
    let declares = channel.queue_declare("q".into(), durable(), quorum());
    // Both are written before the first is answered.
    let (deleted, declared) = tokio::join!(deletes, declares);
    deleted.unwrap();
    declared.unwrap();
}

/// What the receiver tells within that time.
async fn hear(receiver: &mut Box<dyn Receiver>, within: Duration) -> Vec<Event> {
    let mut heard = Vec::new();
    // Nothing is an answer too.
    let _ = tokio::time::timeout(within, receiver.next(10, &mut heard)).await;
    heard
}

/// Half a second goes by, or less if something is to happen before.
fn tick(clock: &Clock) {
    if let Some(next) = clock.next_timer() {
        clock.advance_to(next.min(clock.after(Duration::from_millis(500))));
    }
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}

// RabbitMQ 3.10 throws away what it delivers to a consumer that was moved so: a prefetch of messages is gone until the
// channel closes, and the rest lies ready. Other versions cancel the consumer: then everything comes by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_moved_to_a_new_queue_without_a_word_gets_its_messages_all_the_same() {
    const PREFETCH: u16 = 5;
    const MESSAGES: u32 = 3 * PREFETCH as u32;
    let rabbit = Rabbit::new();
    let raw = lapin::Connection::connect(rabbit.url(), lapin::ConnectionProperties::default()).await.unwrap();
    raw.create_channel().await.unwrap().queue_declare("q".into(), durable(), quorum()).await.unwrap();
    let mut environment = Environment::default();
    let clock = Clock::manual(1);
    environment.clock = clock.clone();
    let transport = DRIVER.open(rabbit.url(), environment).unwrap();
    transport.connect(clock.after(Duration::from_secs(3600))).await.unwrap();
    // The topology is not ours: nothing brings the queue back but who deleted it.
    let mut receiver = receiver(&transport, "q", PREFETCH).await;
    let mut silent = false;
    for _ in 0..20 {
        take_over(&raw).await;
        let heard = hear(&mut receiver, Duration::from_secs(1)).await;
        if heard.is_empty() {
            silent = true;
            break;
        }
        assert!(matches!(heard[..], [Event::Cancelled(_)]), "{heard:?}");
        let begin = Instant::now();
        while !hear(&mut receiver, TICK).await.iter().any(|event| matches!(event, Event::Restored)) {
            assert!(begin.elapsed() < PATIENCE, "it does not subscribe again");
            tick(&clock);
        }
    }
    let channel = raw.create_channel().await.unwrap();
    for number in 0..MESSAGES {
        let body = number.to_string();
        let properties = BasicProperties::default().with_message_id(body.clone().into());
        let publish = channel.basic_publish(
            ShortString::default(),
            "q".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            properties,
        );
        publish.await.unwrap();
    }
    let mut seen = HashSet::new();
    let begin = Instant::now();
    while seen.len() < MESSAGES as usize {
        assert!(begin.elapsed() < PATIENCE, "{} of {MESSAGES} came, moved without a word: {silent}", seen.len());
        for event in hear(&mut receiver, TICK).await {
            if let Event::Delivery(delivery) = event {
                seen.insert(delivery.message_id.clone().unwrap());
                drop(delivery.unsettled.settle(Settlement::Complete));
            }
        }
        tick(&clock);
    }
}

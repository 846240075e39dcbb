//! What the bus costs beside lapin alone: the same bodies on the same broker, by turns, in one run.
//!
//! `cargo bench -p bus-rabbitmq` with `BUS_TEST_AMQP_URL` and `BUS_TEST_RABBITMQ_API` set (see CONTRIBUTING). The
//! machine is shared and noisy: read the ratios of one run, never absolute numbers of two.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs, reason = "a program that measures")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bus_core::{Builder, Bus, Message, bus::Catalog, consumer::Failure};
use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use xtask::rabbitmq::VirtualHost;

const MESSAGES: usize = 10_000;
const WINDOW: usize = 1000;
const PREFETCH: u16 = 100;
const ROUNDS: usize = 5;

#[derive(Clone, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Bus.Bench", crate = bus_core)]
struct Order {
    order_id: uuid::Uuid,
    customer: String,
    lines: Vec<u32>,
}

fn order() -> Order {
    Order { order_id: uuid::Uuid::now_v7(), customer: "Ann of Green Gables".to_owned(), lines: (0..40).collect() }
}

fn bus(url: &str, configure: impl FnOnce(Builder) -> Builder) -> Bus {
    let catalog = Catalog { drivers: vec![&bus_rabbitmq::DRIVER], missing: Vec::new() };
    configure(Builder::new(url, catalog)).build().unwrap()
}

/// Publishes with the bus; the queue keeps the messages.
async fn bus_publish(bus: &Bus) -> Duration {
    let begun = Instant::now();
    let sends = stream::iter(0..MESSAGES).map(|_| bus.send("queue:bench", order()).into_future());
    sends.buffer_unordered(WINDOW).for_each(async |sent| sent.unwrap()).await;
    begun.elapsed()
}

async fn lapin_publish(channel: &lapin::Channel, body: &[u8]) -> Duration {
    let properties = || {
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_message_id(uuid::Uuid::now_v7().to_string().into())
            .with_content_type(bus_core::envelope::CONTENT_TYPE.into())
    };
    let begun = Instant::now();
    let sends = stream::iter(0..MESSAGES).map(|_| async {
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        channel.basic_publish("".into(), "bench".into(), options, body, properties()).await.unwrap().await.unwrap()
    });
    sends.buffer_unordered(WINDOW).for_each(|_| std::future::ready(())).await;
    begun.elapsed()
}

/// Consumes what lies in the queue with the bus.
async fn bus_consume(url: &str) -> Duration {
    let (count, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, told) = (count.clone(), done.clone());
    let bus = bus(url, |b| {
        b.endpoint("bench", |e| {
            e.prefetch(PREFETCH).consumer(move |order: Order| {
                assert_eq!(order.lines.len(), 40);
                if counted.fetch_add(1, Ordering::Relaxed) + 1 == MESSAGES {
                    told.notify_one();
                }
                std::future::ready(Ok::<_, Failure>(()))
            })
        })
    });
    let begun = Instant::now();
    bus.start().await.unwrap();
    done.notified().await;
    let took = begun.elapsed();
    bus.stop().await;
    took
}

/// The same with lapin: a task per delivery that decodes the message and acknowledges it singly.
async fn lapin_consume(url: &str) -> Duration {
    #[derive(Deserialize)]
    struct Envelope {
        message: Order,
    }
    let begun = Instant::now();
    let connection = connect(url).await;
    let channel = connection.create_channel().await.unwrap();
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.unwrap();
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume("bench".into(), "".into(), options, FieldTable::default()).await.unwrap();
    let (count, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    for _ in 0..MESSAGES {
        let delivery = consumer.next().await.unwrap().unwrap();
        let (channel, count, done) = (channel.clone(), count.clone(), done.clone());
        tokio::spawn(async move {
            let envelope: Envelope = serde_json::from_slice(&delivery.data).unwrap();
            assert_eq!(envelope.message.lines.len(), 40);
            channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.unwrap();
            if count.fetch_add(1, Ordering::Relaxed) + 1 == MESSAGES {
                done.notify_one();
            }
        });
    }
    done.notified().await;
    let took = begun.elapsed();
    connection.close(200, "OK".into()).await.unwrap();
    took
}

async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default()).await.unwrap()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let place = VirtualHost::create();
    let url = place.url();
    // Declares the queue, and leaves a body to send.
    let publisher = bus(url, |b| b.endpoint("bench", |e| e.consumer(async |_: Order| Ok::<_, Failure>(()))));
    publisher.start().await.unwrap();
    publisher.stop().await;
    let publisher = bus(url, |b| b);
    publisher.start().await.unwrap();
    publisher.send("queue:bench", order()).await.unwrap();
    let connection = connect(url).await;
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let got = channel.basic_get("bench".into(), Default::default()).await.unwrap().unwrap();
    let body = got.delivery.data.clone();
    channel.basic_ack(got.delivery.delivery_tag, BasicAckOptions::default()).await.unwrap();
    println!("{MESSAGES} messages of {} bytes, window {WINDOW}, prefetch {PREFETCH}", body.len());

    let rate = |took: Duration| MESSAGES as f64 / took.as_secs_f64();
    let (mut publish, mut consume) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let by_bus = rate(bus_publish(&publisher).await);
        let consumed_by_bus = rate(bus_consume(url).await);
        let by_lapin = rate(lapin_publish(&channel, &body).await);
        let consumed_by_lapin = rate(lapin_consume(url).await);
        println!(
            "round {round}: publish {by_bus:.0}/s, lapin {by_lapin:.0}/s; consume {consumed_by_bus:.0}/s, lapin {consumed_by_lapin:.0}/s"
        );
        publish.push(by_bus / by_lapin);
        consume.push(consumed_by_bus / consumed_by_lapin);
    }
    let median = |mut ratios: Vec<f64>| {
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    };
    println!("median ratio to lapin: publish {:.2}, consume {:.2}", median(publish), median(consume));
    publisher.stop().await;
}

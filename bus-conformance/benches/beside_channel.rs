//! What a message costs on its way through the bus in memory, beside a channel alone: by turns, in one run.
//!
//! `cargo bench -p bus-conformance --bench beside_channel`. The machine is shared and noisy: read the ratios of one
//! run, never absolute numbers of two.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs, reason = "a program that measures")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bus_core::{Builder, Bus, Message, bus::Catalog, consumer::Failure};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

const MESSAGES: usize = 50_000;
const ROUNDS: usize = 7;

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

#[derive(Default)]
struct Handled {
    count: AtomicUsize,
    all: Notify,
}

impl Handled {
    fn one(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 == MESSAGES {
            self.all.notify_one();
        }
    }

    async fn wait(&self) {
        self.all.notified().await;
        self.count.store(0, Ordering::Relaxed);
    }
}

async fn through_the_bus(bus: &Bus, handled: &Handled) -> Duration {
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        bus.publish(order()).await.unwrap();
    }
    handled.wait().await;
    begun.elapsed()
}

/// The same bytes through a channel: written as JSON, read as JSON.
async fn through_a_channel(sender: &mpsc::UnboundedSender<Vec<u8>>, handled: &Handled) -> Duration {
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        sender.send(serde_json::to_vec(&order()).unwrap()).unwrap();
    }
    handled.wait().await;
    begun.elapsed()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let handled = Arc::new(Handled::default());
    let count = handled.clone();
    let catalog = Catalog { drivers: vec![&bus_inmemory::DRIVER], missing: Vec::new() };
    let bus = Builder::new("memory://bench", catalog)
        .endpoint("work", |e| {
            e.consumer(move |_: Order| {
                count.one();
                std::future::ready(Ok::<(), Failure>(()))
            })
        })
        .build()
        .unwrap();
    bus.start().await.unwrap();
    let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<u8>>();
    let count = handled.clone();
    tokio::spawn(async move {
        while let Some(body) = receiver.recv().await {
            let _: Order = serde_json::from_slice(&body).unwrap();
            count.one();
        }
    });
    let (mut with_bus, mut with_channel) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with_bus.push(through_the_bus(&bus, &handled).await);
        with_channel.push(through_a_channel(&sender, &handled).await);
    }
    bus.stop().await;
    let each = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2] / u32::try_from(MESSAGES).unwrap()
    };
    let (bus, channel) = (each(&mut with_bus), each(&mut with_channel));
    println!("through the bus: {bus:?} each; JSON through a channel: {channel:?} each");
    println!("the bus costs {:.2} times the channel", bus.as_secs_f64() / channel.as_secs_f64());
}

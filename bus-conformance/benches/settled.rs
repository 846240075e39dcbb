//! How long a test on the harness waits to know that nothing more comes, beside the messages that it handles
//! meanwhile.
//!
//! `cargo bench -p bus-conformance`. The machine is shared and noisy: what counts is that absence is known in
//! less than a millisecond, by orders of magnitude.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs, reason = "a program that measures")]

use std::time::{Duration, Instant};

use bus_core::{Message, consumer::Failure, testing::Harness};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Bench", crate = bus_core)]
struct Ticked {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Bench", crate = bus_core)]
struct Tocked {}

const ROUNDS: usize = 1000;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let consumer = async |_: Ticked| Ok::<(), Failure>(());
    let h =
        Harness::on(&bus_inmemory::DRIVER, "memory://bench", |b| b.endpoint("work", |e| e.consumer(consumer))).await;
    let (mut absent, mut handled) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        h.settled().await;
        absent.push(begun.elapsed());
        let begun = Instant::now();
        h.publish(Ticked {}).await;
        h.settled().await;
        handled.push(begun.elapsed());
    }
    h.published::<Tocked>().none();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        h.publish(Ticked {}).await;
    }
    h.settled().await;
    let many = begun.elapsed();
    let longest = absent.iter().max().copied().unwrap_or_default();
    let typical = median(absent);
    println!("settled with nothing there: {typical:?} (longest of {ROUNDS}: {longest:?})");
    println!("one message, published and settled: {:?}", median(handled));
    println!("{ROUNDS} messages, published and settled: {many:?}");
}

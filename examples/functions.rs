//! Consumers as functions: the message comes first, then what they work with, each argument found by its type.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bus::prelude::*;
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {
    item: String,
    count: u32,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Stock")]
struct StockReserved {
    item: String,
    left: u32,
}

/// A state is cloned for each attempt, as a pool of connections is: cheap, and shared behind the clone.
#[derive(Clone)]
struct Stock(Arc<Mutex<BTreeMap<String, u32>>>);

#[derive(Clone)]
struct Told(mpsc::UnboundedSender<String>);

// The attribute may be left out. With it the compiler shows a wrong argument here, not where the function is added.
#[consumer]
async fn reserve(order: OrderSubmitted, ctx: Context, State(stock): State<Stock>) -> Result<(), Failure> {
    let left = {
        let mut shelf = stock.0.lock().map_err(|_| "poisoned")?;
        let left = shelf.get_mut(&order.item).ok_or("nobody knows this item").permanent()?;
        *left = left.checked_sub(order.count).ok_or("not enough in stock").permanent()?;
        *left
    };
    ctx.publish(StockReserved { item: order.item, left }).await?;
    Ok(())
}

/// `Received` is the message with all that was around it: ids, headers, the raw body.
#[consumer]
async fn tell(event: Received<StockReserved>, State(told): State<Told>) -> Result<(), Failure> {
    let started_by = event.incoming().envelope.source_address.as_deref().unwrap_or_default().to_owned();
    told.0.send(format!("{} left of {}, says {started_by}", event.left, event.item))?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (tells, mut told) = mpsc::unbounded_channel();
    let shelf = BTreeMap::from([("tea".to_owned(), 5), ("salt".to_owned(), 1)]);
    let bus = bus::builder("memory://shop")
        .state(Stock(Arc::new(Mutex::new(shelf)))) // build() says which state a consumer misses
        .state(Told(tells))
        .endpoint("stock", |e| e.consumer(reserve).concurrency(1))
        .endpoint("display", |e| e.consumer(tell).concurrency(1)) // one at a time, so in order
        .build()?;
    bus.start().await?;
    bus.publish(OrderSubmitted { item: "tea".to_owned(), count: 2 }).await?;
    bus.publish(OrderSubmitted { item: "salt".to_owned(), count: 1 }).await?;
    for expected in ["3 left of tea, says memory://shop/stock", "0 left of salt, says memory://shop/stock"] {
        let line = told.recv().await.ok_or("nobody tells")?;
        println!("{line}");
        assert!(line.starts_with(expected), "{line} instead of {expected}");
    }
    bus.stop().await;
    Ok(())
}

//! A consumer as a struct. What it works with is a field behind a trait, so the program gives it a database and a test
//! a fake: `cargo test --example consumer_struct --features testing`.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{
    future::Future,
    io,
    sync::{Arc, Mutex},
};

use bus::prelude::*;
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {
    order_id: Uuid,
    total_cents: i64,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {
    order_id: Uuid,
}

/// What the consumer needs of a database. The future is `Send`: consumers run on all threads.
trait Repository: Send + Sync + 'static {
    fn insert(&self, order: &SubmitOrder) -> impl Future<Output = io::Result<()>> + Send;
}

struct Orders<R> {
    repository: R,
}

// Its queue is called `orders`, here and on the broker; without `endpoint` the type's name would say the same.
#[consumer(endpoint = "orders", concurrency = 16)]
impl<R: Repository> Orders<R> {
    #[handle]
    async fn submit(&self, order: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
        if order.total_cents <= 0 {
            return Err(Failure::permanent("an order without a total")); // to `orders_error`, without a retry
        }
        self.repository.insert(&order).await?; // any error: the endpoint's policy decides
        ctx.publish(OrderSubmitted { order_id: order.order_id }).await?;
        Ok(())
    }
}

/// Stands for a real database. A clone shows the same rows.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<Vec<Uuid>>>);

impl Repository for Table {
    async fn insert(&self, order: &SubmitOrder) -> io::Result<()> {
        self.0.lock().map_err(|_| io::Error::other("poisoned"))?.push(order.order_id);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let table = Table::default();
    let (heard, mut hears) = mpsc::unbounded_channel();
    let bus = bus::builder("memory://shop")
        .consumer(Orders { repository: table.clone() })
        .endpoint("billing", |e| {
            e.consumer(move |event: OrderSubmitted| std::future::ready(heard.send(event.order_id)))
        })
        .build()?;
    bus.start().await?;
    let order_id = Uuid::now_v7();
    bus.send("queue:orders", SubmitOrder { order_id, total_cents: 990 }).await?;
    assert_eq!(hears.recv().await, Some(order_id), "billing hears of the order");
    bus.stop().await;
    let rows = table.0.lock().map_err(|_| "poisoned")?.len();
    println!("the table has {rows} order");
    assert_eq!(rows, 1);
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use bus::testing::Harness;

    /// A database that is not there.
    struct Down;

    impl Repository for Down {
        async fn insert(&self, _order: &SubmitOrder) -> io::Result<()> {
            Err(io::Error::other("no connection"))
        }
    }

    #[tokio::test]
    async fn an_order_is_stored_and_told() {
        let table = Table::default();
        let h = Harness::start(|b| b.consumer(Orders { repository: table.clone() })).await;
        h.send("queue:orders", SubmitOrder { order_id: Uuid::nil(), total_cents: 990 }).await;
        h.settled().await;
        assert_eq!(*table.0.lock().unwrap(), [Uuid::nil()]);
        assert_eq!(h.published::<OrderSubmitted>().one().order_id, Uuid::nil());
    }

    #[tokio::test]
    async fn an_order_that_is_not_stored_is_not_told() {
        let h = Harness::start(|b| b.consumer(Orders { repository: Down })).await;
        h.send("queue:orders", SubmitOrder { order_id: Uuid::nil(), total_cents: 990 }).await;
        h.settled().await;
        h.published::<OrderSubmitted>().none();
        assert_eq!(h.dead_letters("orders").await[0].fault_message(), Some("no connection"));
    }
}

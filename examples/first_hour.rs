//! The program of `docs/first-hour.md`, word for word; a test compares them. It runs until Ctrl-C.
#![allow(clippy::print_stdout, reason = "it tells a story")]

use std::{env, error::Error, time::Duration};

use bus::prelude::*;

/// A command: it goes to one queue.
#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {
    order_id: Uuid,
    total_cents: i64,
}

/// An event: whoever wants to know gets a copy.
#[derive(Debug, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {
    order_id: Uuid,
}

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
        if order.total_cents <= 0 {
            return Err(Failure::permanent("an order without a total"));
        }
        ctx.publish(OrderSubmitted { order_id: order.order_id }).await?;
        Ok(())
    }
}

async fn bill(event: OrderSubmitted) -> Result<(), Failure> {
    println!("billing {}", event.order_id);
    Ok(())
}

/// All that the service consumes. The tests build it too.
fn consumers(builder: bus::Builder) -> bus::Builder {
    builder
        .endpoint_defaults(|e| e.retry(Retry::exponential(3, Duration::from_millis(200)..Duration::from_secs(5))))
        .consumer(Orders)
        .endpoint("billing", |e| e.consumer(bill))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_env_filter("info,lapin=error").init();
    let url = env::var("BUS_URL").unwrap_or_else(|_| "memory://shop".to_owned());
    let bus = consumers(bus::builder(url)).build()?;
    bus.start().await?;
    bus.send("queue:orders", SubmitOrder { order_id: Uuid::now_v7(), total_cents: 990 }).await?;
    bus.send("queue:orders", SubmitOrder { order_id: Uuid::now_v7(), total_cents: 0 }).await?;
    bus.run().await?; // until Ctrl-C or SIGTERM; then it stops
    Ok(())
}

#[cfg(test)]
mod tests {
    use bus::testing::Harness;

    use super::*;

    #[tokio::test]
    async fn an_order_is_billed() {
        let h = Harness::start(consumers).await;
        h.send("queue:orders", SubmitOrder { order_id: Uuid::nil(), total_cents: 990 }).await;
        h.settled().await;
        let billed = h.consumed::<OrderSubmitted>().one();
        assert_eq!((billed.order_id, billed.endpoint.as_deref()), (Uuid::nil(), Some("billing")));
    }

    #[tokio::test]
    async fn an_order_without_a_total_is_put_aside() {
        let h = Harness::start(consumers).await;
        h.send("queue:orders", SubmitOrder { order_id: Uuid::nil(), total_cents: 0 }).await;
        h.settled().await;
        h.published::<OrderSubmitted>().none();
        let letters = h.dead_letters("orders").await;
        assert_eq!(letters[0].fault_message(), Some("an order without a total"));
    }
}

//! Settings from a file and from variables, a filter that the file names, and what came of it. `--features config`.
//!
//! In memory. Try a variable, such as BUS__ENDPOINTS__ORDERS__PREFETCH=64, or a mistake in `examples/configuration.toml`.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use bus::{
    configuration::{BoxedFilter, Configuration, FilterConfig, typetag},
    filter::{Filter, Next},
    prelude::*,
};
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {
    number: u32,
}

#[derive(Clone)]
struct Shipped(mpsc::UnboundedSender<u32>);

async fn ship(order: OrderSubmitted, ctx: Context, State(shipped): State<Shipped>) -> Result<(), Failure> {
    if ctx.attempt() < 2 {
        return Err("the printer of labels is jammed".into()); // the file's `retry` helps
    }
    shipped.0.send(order.number)?;
    Ok(())
}

/// Lets through what is of one tenant; the rest counts as handled. The file names it, and gives it its fields.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tenant {
    only: String,
}

#[typetag::deserialize(name = "tenant")]
impl FilterConfig for Tenant {
    fn build(&self) -> BoxedFilter {
        BoxedFilter::new(self.clone())
    }
}

impl Filter for Tenant {
    async fn call(&self, ctx: Context, next: Next) -> Result<(), Failure> {
        if ctx.header("tenant").is_some_and(|tenant| tenant == &*self.only) { next.run().await } else { Ok(()) }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (shipped, mut arrived) = mpsc::unbounded_channel();
    let bus = bus::builder("memory://configured")
        .state(Shipped(shipped))
        .configuration(Configuration::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/configuration.toml")))
        .configuration(Configuration::from_env()) // what it says outweighs the file
        .endpoint("orders", |e| e.concurrency(1).consumer(ship)) // the file says 4
        .build()?;
    println!("{}", bus.describe());
    let orders = &bus.describe().endpoints[0];
    assert_eq!((orders.concurrency, orders.filters.len()), (4, 1));

    bus.start().await?;
    bus.publish(OrderSubmitted { number: 1 }).header("tenant", "another").await?;
    bus.publish(OrderSubmitted { number: 2 }).header("tenant", "acme").await?;
    assert_eq!(arrived.recv().await, Some(2), "the other tenant's order does not come");
    bus.stop().await;

    let mistaken = Configuration::from_toml("[endpoints.order]\nprefetch = 0\nprefech = 10");
    let refused = bus::builder("memory://configured").endpoint("orders", |e| e.consumer(ship)).configuration(mistaken);
    println!("{}", refused.build().map(drop).expect_err("it has mistakes"));
    Ok(())
}

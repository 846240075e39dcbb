//! One test body on the harness, over memory and over RabbitMQ.

use std::time::Duration;

use bus::{prelude::*, testing::Harness};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Harness")]
struct Submitted {
    number: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Harness")]
struct Reserve {
    number: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Harness")]
struct Reserved {
    number: u32,
}

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn submitted(&self, order: Submitted, ctx: &Context) -> Result<(), Failure> {
        if order.number == 13 {
            return Err("nobody wants this one".into());
        }
        ctx.send("queue:stock", Reserve { number: order.number }).await?;
        Ok(())
    }
}

struct Stock;

#[consumer]
impl Stock {
    #[handle]
    async fn reserve(&self, reserve: Reserve, ctx: &Context) -> Result<(), Failure> {
        ctx.publish(Reserved { number: reserve.number }).await?;
        Ok(())
    }
}

fn shop(builder: bus::Builder) -> bus::Builder {
    builder.consumer(Orders).consumer(Stock)
}

async fn orders_are_reserved(h: Harness) {
    h.settled().await;
    h.published::<Reserved>().none();
    for number in 11..=13 {
        h.publish(Submitted { number }).await;
    }
    h.settled().await;
    let mut reserved: Vec<_> = h.published::<Reserved>().messages().into_iter().map(|found| found.number).collect();
    reserved.sort_unstable();
    assert_eq!(reserved, [11, 12], "{}", h.trace());
    assert_eq!(h.sent::<Reserve>().len(), 2);
    assert_eq!(h.consumed::<Submitted>().len(), 2);
    let faulted = h.faulted::<Submitted>().one();
    assert_eq!((faulted.number, faulted.error.as_deref()), (13, Some("nobody wants this one")));
    assert_eq!(h.published::<Fault<Submitted>>().one().message.message.number, 13);
    assert_eq!(h.dead_letters("orders").await.len(), 1);
    // Settled again, and nothing comes after it.
    let before = h.trace();
    h.settled().await;
    assert_eq!(h.trace(), before);
    h.stop().await;
}

#[tokio::test]
async fn a_test_on_the_harness_runs_in_memory() {
    orders_are_reserved(Harness::start(shop).await).await;
}

#[cfg(feature = "rabbitmq")]
#[tokio::test]
async fn the_same_test_runs_on_rabbitmq() {
    let place = xtask::rabbitmq::VirtualHost::create();
    orders_are_reserved(Harness::on(place.url(), shop).await).await;
}

#[tokio::test]
async fn time_is_moved_by_hand() {
    let h = Harness::start(|b| {
        b.endpoint("orders", |e| e.consumer(Orders).retry(Retry::interval(2, Duration::from_secs(60))))
    })
    .await;
    h.publish(Submitted { number: 13 }).await;
    h.settled().await;
    h.faulted::<Submitted>().none();
    h.advance(Duration::from_secs(120)).await;
    assert_eq!(h.faulted::<Submitted>().one().attempts, 3);
}

#[cfg(feature = "rabbitmq")]
#[tokio::test]
async fn the_time_of_a_real_broker_cannot_be_moved() {
    let place = xtask::rabbitmq::VirtualHost::create();
    let h = Harness::on(place.url(), shop).await;
    let moved = tokio::spawn(async move { h.advance(Duration::from_secs(1)).await });
    let panic = moved.await.unwrap_err().into_panic();
    let said = panic.downcast_ref::<String>().unwrap();
    assert!(said.starts_with("`advance` needs a broker in memory"), "{said}");
}

//! A shop on the bus, in memory; or on RabbitMQ: `--features rabbitmq`, BUS_URL=amqp://guest:guest@127.0.0.1:5672. There
//! also one process per role: `-- --role NAME` (orders, audit, customer; any other is a service that hears of orders).
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{collections::BTreeMap, error::Error, sync::Arc};

use bus::prelude::*;

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Shop")]
struct SubmitOrder {
    shop: Uuid,
    item: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Shop")]
struct OrderSubmitted {
    shop: Uuid,
    item: String,
}

/// Takes the orders: a struct, whose fields are what it works with.
struct Orders(Diary);

#[consumer(endpoint = "orders")]
impl Orders {
    #[handle]
    async fn submit(&self, order: SubmitOrder, ctx: &Context) -> Result<(), Failure> {
        note(&self.0, order.shop, "orders", &format!("looks at an order of {}", order.item));
        if order.item == "a unicorn" {
            return Err("we do not sell unicorns".into());
        }
        ctx.publish(OrderSubmitted { shop: order.shop, item: order.item }).await?;
        Ok(())
    }
}

/// Sees every order on the wire: a function, which takes what it works with.
#[consumer]
async fn audit(order: SubmitOrder, State(diary): State<Diary>) -> Result<(), Failure> {
    note(&diary, order.shop, "audit", &format!("files an order of {}", order.item));
    Ok(())
}

/// What one instance of a service consumes. Those of `invoices` share a queue; a customer consumes nothing.
fn service(url: &str, who: &'static str, diary: &Diary) -> Result<Bus, bus::Error> {
    let (bus, own) = (bus::builder(url).state(diary.clone()), diary.clone());
    let hear = move |event: OrderSubmitted| {
        note(&own, event.shop, who, &format!("hears of an order of {}", event.item));
        std::future::ready(Ok::<_, Failure>(()))
    };
    match who {
        "orders" => bus.consumer(Orders(diary.clone())),
        "audit" => bus.endpoint("audit", |e| e.consumer(audit).bind("exchange:orders")),
        "customer" => bus,
        _ => bus.endpoint(who.split('-').next().unwrap_or(who), |e| e.consumer(hear)),
    }
    .build()
}

async fn order_everything(bus: &Bus, shop: Uuid) -> Result<(), bus::Error> {
    for item in ["tea", "salt", "a unicorn", "rice", "soap"] {
        println!("  customer orders {item}");
        bus.send("exchange:orders", SubmitOrder { shop, item: item.to_owned() }).await?;
    }
    Ok(())
}

async fn whole_shop(url: &str) -> Result<(), Box<dyn Error>> {
    let (shop, diary) = (Uuid::now_v7(), Diary::default());
    let all = ["customer", "orders", "audit", "billing", "shipping", "invoices-1", "invoices-2", "invoices-3"];
    let buses = all.into_iter().map(|who| service(url, who, &diary)).collect::<Result<Vec<_>, _>>()?;
    for bus in &buses {
        bus.start().await?;
    }
    order_everything(&buses[0], shop).await?;
    diary.subscribe().wait_for(|notes| total(notes, shop, "") >= 5 + 5 + 3 * 4).await?;
    for bus in &buses[1..] {
        bus.stop().await; // when this returns it has finished what it began
    }
    let letters = buses[0].dead_letters("orders").list().await?;
    let ours = letters.iter().filter(|letter| String::from_utf8_lossy(&letter.body).contains(&shop.to_string()));
    let reasons: Vec<_> = ours.filter_map(|letter| letter.fault_message()).collect();
    let seen = ["orders", "audit", "billing", "shipping", "invoices"].map(|who| total(&diary.borrow(), shop, who));
    println!("\nMessages seen by each service: {seen:?}\nIn orders_error lies what failed, and why: {reasons:?}");
    assert_eq!((seen, reasons), ([5, 5, 4, 4, 4], vec!["we do not sell unicorns"]), "not as it should be");
    buses[0].stop().await;
    Ok(())
}

/// What was told, counted by shop (others may have used the broker before) and instance.
type Diary = Arc<tokio::sync::watch::Sender<BTreeMap<(Uuid, &'static str), u32>>>;

fn note(diary: &Diary, shop: Uuid, who: &'static str, what: &str) {
    println!("{who:>10} {what}");
    diary.send_modify(|notes| *notes.entry((shop, who)).or_default() += 1);
}

fn total(notes: &BTreeMap<(Uuid, &'static str), u32>, shop: Uuid, who: &str) -> u32 {
    notes.iter().filter(|((of, by), _)| *of == shop && by.starts_with(who)).map(|(_, count)| count).sum()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "error,lapin=off".to_owned());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let url = std::env::var("BUS_URL").unwrap_or_else(|_| "memory://shop".to_owned());
    let Some(role) = std::env::args().nth(2) else { return whole_shop(&url).await };
    if url.starts_with("memory:") {
        return Err("--role needs a broker between the processes, and memory:// is within one: set BUS_URL".into());
    }
    let bus = service(&url, role.clone().leak(), &Diary::default())?;
    bus.start().await?;
    println!("{role} runs until Ctrl-C");
    if bus.health().endpoints.is_empty() {
        order_everything(&bus, Uuid::now_v7()).await?; // the customer
    }
    Ok(bus.run().await?)
}

//! A shop as `describe()` tells it: as text, as JSON, as a diagram.

use std::time::Duration;

use bus::{filter, inmemory, prelude::*};
use expect_test::{ExpectFile, expect_file};

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct SubmitOrder {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Payments")]
struct PaymentFailed {}

struct Orders<Repo> {
    _repo: Repo,
}

#[consumer(endpoint = "orders", concurrency = 16)]
impl<Repo: Send + Sync + 'static> Orders<Repo> {
    #[handle]
    async fn submit(&self, _: SubmitOrder) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn cancel(&self, _: PaymentFailed) -> Result<(), Failure> {
        Ok(())
    }
}

async fn audit(_: OrderSubmitted, State(_): State<String>) -> Result<(), Failure> {
    Ok(())
}

async fn print(_: OrderSubmitted) -> Result<(), Failure> {
    Ok(())
}

struct Tenant;

impl filter::Filter for Tenant {
    async fn call(&self, _: Context, next: filter::Next) -> Result<(), Failure> {
        next.run().await
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn shop(url: &str, configure: impl FnOnce(bus::EndpointBuilder) -> bus::EndpointBuilder) -> bus::Bus {
    bus::builder(url)
        .state("secret state".to_owned())
        .stop_timeout(10 * SECOND)
        .consumer(Orders { _repo: [0_u8; 4] })
        .endpoint("audit", |e| {
            e.prefetch(500)
                .concurrency(20)
                .retry(Retry::exponential(5, SECOND / 5..10 * SECOND).unless::<bus::TimedOut>())
                .timeout(60 * SECOND)
                .outbox()
                .raw_json()
                .max_body(1 << 16)
                .filter(Tenant)
                .filter(filter::from_fn(|_, next| next.run()))
                .consumer(audit)
                .consumer_with(print, |c| {
                    c.concurrency(2).timeout(Duration::MAX).retry(Retry::immediate(1)).filter(Tenant)
                })
                .bind("exchange:orders")
                .bind_key("exchange:prices?type=topic", "eu.#")
        })
        .endpoint("late", |e| {
            configure(e.without_subscriptions().consumer(|_: SubmitOrder| async { Ok::<_, Failure>(()) }))
        })
        .build()
        .unwrap()
}

/// All three ways, and no credentials or values in any of them.
fn check(bus: &bus::Bus, [text, json, chart]: [ExpectFile; 3]) {
    let mut description = bus.describe();
    for endpoint in &mut description.endpoints {
        // By default it follows from the machine.
        if endpoint.name == "late" {
            assert_eq!(endpoint.prefetch, endpoint.concurrency);
            (endpoint.prefetch, endpoint.concurrency) = (32, 32);
        }
    }
    let as_text = description.to_string();
    let as_json = serde_json::to_string_pretty(&description).unwrap() + "\n";
    let as_chart = description.to_mermaid();
    for shown in [&as_text, &as_json, &as_chart, &format!("{description:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    text.assert_eq(&as_text);
    json.assert_eq(&as_json);
    chart.assert_eq(&as_chart);
}

#[test]
fn a_shop_in_memory_describes_itself_before_it_is_started() {
    let bus = shop("memory://described?seed=7", |e| {
        let options = inmemory::endpoint().lease(30 * SECOND).lanes().dead_letter("lost").max_length(9);
        e.with(options.time_to_live(3600 * SECOND))
    });
    check(&bus, [expect_file!["memory.txt"], expect_file!["memory.json"], expect_file!["memory.mmd"]]);
}

#[cfg(feature = "rabbitmq")]
#[test]
fn a_shop_on_rabbitmq_describes_itself_without_its_password() {
    use bus::rabbitmq::endpoint;

    let bus = shop("amqp://shop:secret@localhost:5673/shop?connection_name=secret", |e| {
        let options = endpoint().quorum().quorum_group_size(3).message_ttl(60 * SECOND).single_active_consumer();
        e.with(options.dead_letter_queue("lost", "lost-orders"))
    });
    check(&bus, [expect_file!["rabbitmq.txt"], expect_file!["rabbitmq.json"], expect_file!["rabbitmq.mmd"]]);
}

#[test]
fn what_is_described_is_what_the_bus_is_run_by() {
    let bus = bus::builder("memory://described-limits")
        .endpoint_defaults(|e| e.prefetch(8).timeout(SECOND))
        .endpoint("defaults", |e| e.consumer(print))
        .endpoint("own", |e| e.consumer(print).prefetch(2).concurrency(3).timeout(Duration::MAX))
        .build()
        .unwrap();
    let description = bus.describe();
    let [defaults, own] = &*description.endpoints else { panic!("{description}") };
    assert_eq!((defaults.prefetch, defaults.concurrency, defaults.timeout), (8, 8, Some(SECOND)));
    assert_eq!((own.prefetch, own.concurrency, own.timeout), (2, 3, None));
    assert_eq!(description.warnings, bus.warnings());
    assert_eq!(description.warnings.len(), 1);
}

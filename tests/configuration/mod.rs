//! Settings from files and from the environment.

mod filters;
mod mistakes;
mod page;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bus::{configuration::Configuration, prelude::*};
use tokio::sync::mpsc;

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Configuration")]
struct Ordered {
    number: u32,
}

struct Orders;

#[consumer]
impl Orders {
    #[handle]
    async fn ordered(&self, _: Ordered, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

/// Tells the test which attempt it is, and fails the first two.
async fn fails_twice(_: Ordered, State(attempts): State<Attempts>) -> Result<(), Failure> {
    let attempt = attempts.count.fetch_add(1, Ordering::SeqCst);
    attempts.made.send(attempt).unwrap();
    if attempt < 2 { Err("not yet".into()) } else { Ok(()) }
}

#[derive(Clone)]
struct Attempts {
    count: Arc<AtomicU32>,
    made: mpsc::UnboundedSender<u32>,
}

#[tokio::test]
async fn a_bus_runs_by_what_is_configured() {
    let (made, mut attempts) = mpsc::unbounded_channel();
    let bus = bus::builder("memory://configured")
        .state(Attempts { count: Arc::default(), made })
        .configuration(Configuration::from_toml("[endpoints.orders]\nretry = { immediate = 2 }\nconcurrency = 1"))
        .endpoint("orders", |e| e.consumer(fails_twice))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    bus.send("queue:orders", Ordered { number: 1 }).await.unwrap();
    for expected in 0..3 {
        assert_eq!(attempts.recv().await, Some(expected));
    }
    bus.stop().await;
}

#[test]
fn a_description_says_where_a_setting_is_configured() {
    let file = "stop_timeout = '1m'\n[endpoint_defaults]\nredeliver = ['5s']\n[endpoints.orders]\nprefetch = 64\n\
                consumers.Orders.timeout = '2s'";
    let bus = bus::builder("memory://described-configuration")
        .configuration(Configuration::from_toml(file))
        .configuration(Configuration::from_variables([("BUS__ENDPOINTS__ORDERS__RETRY__IMMEDIATE", "2")]))
        .endpoint("orders", |e| e.concurrency(4).prefetch(8).consumer(Orders))
        .build()
        .unwrap();
    let text = bus.describe().to_string();
    for line in [
        "  timeouts       start 30s, stop 60s (TOML:1:1), send 30s",
        "  messages       4 at once, prefetch 64 (TOML:5:1), up to 64 MiB",
        "  retry          2 times, at once (BUS__ENDPOINTS__ORDERS__RETRY__IMMEDIATE)",
        "  redeliver      after 5s (TOML:3:1)",
        "                     timeout 2s per attempt (TOML:6:18)",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    let data = serde_json::to_value(bus.describe()).unwrap();
    assert_eq!(data["configured"], serde_json::json!({ "stop_timeout": "TOML:1:1" }));
    assert_eq!(data["endpoints"][0]["configured"]["prefetch"], "TOML:5:1");
    assert!(data["endpoints"][0]["configured"].get("concurrency").is_none());
}

#[test]
fn a_program_may_keep_the_configuration_in_settings_of_its_own() {
    #[derive(Deserialize)]
    struct Settings {
        bus: Configuration,
    }
    let build = |text: &str| {
        let settings: Settings = serde_json::from_str(text).unwrap();
        bus::builder("memory://embedded").configuration(settings.bus).consumer(Orders).build()
    };
    build(r#"{ "bus": { "endpoints": { "orders": { "prefetch": 64, "timeout": null } } } }"#).unwrap();
    assert_eq!(
        build(r#"{ "bus": { "endpoints": { "orders": { "prefech": 64 } } } }"#).unwrap_err().to_string(),
        "the bus cannot be built: endpoint `orders`: unknown key `prefech`: did you mean `prefetch`? --> the settings"
    );
}

/// What the broker has against an endpoint with these options, if its queue is there without any.
async fn refused(own: Option<bus::inmemory::EndpointOptions>, configuration: Configuration) -> String {
    let other = bus::builder("memory://options").consumer(Orders).build().unwrap();
    other.start().await.unwrap();
    let bus = bus::builder("memory://options")
        .endpoint_defaults(|e| e.with(bus::inmemory::endpoint().lanes()))
        .configuration(configuration)
        .endpoint("orders", |e| {
            let e = e.consumer(Orders);
            own.into_iter().fold(e, bus::EndpointBuilder::with)
        })
        .build()
        .unwrap();
    let error = bus.start().await.unwrap_err();
    other.stop().await;
    std::error::Error::source(&error).map(ToString::to_string).unwrap()
}

#[tokio::test]
async fn options_of_a_transport_lie_over_those_of_the_program() {
    let own = || Some(bus::inmemory::endpoint().max_length(5));
    let minute = "memory = { lease = '1m', dead_letter = 'dead', time_to_live = '1h' }";
    for (own, toml, expected) in [
        (None, String::new(), ".lanes()"),
        (own(), String::new(), ".max_length(5)"),
        // What all endpoints are told is outweighed by what one was told.
        (None, format!("endpoint_defaults.{minute}"), ".lease(60s).lanes().dead_letter(\"dead\").time_to_live(3600s)"),
        (own(), format!("endpoint_defaults.{minute}"), ".max_length(5)"),
        (
            own(),
            format!("endpoints.orders.{minute}"),
            ".lease(60s).dead_letter(\"dead\").time_to_live(3600s).max_length(5)",
        ),
        (own(), "endpoints.orders.memory = { max_length = 6, lanes = true }".to_owned(), ".lanes().max_length(6)"),
        // The table of another transport is left alone, whether it is compiled in or not.
        (None, "endpoints.orders.rabbitmq = { quorum = true }".to_owned(), ".lanes()"),
    ] {
        let said = refused(own, Configuration::from_toml(&toml)).await;
        assert_eq!(said, format!("it is there with no options already, not with {expected}"), "{toml}");
    }
    let variables = Configuration::from_variables([
        ("BUS__ENDPOINTS__ORDERS__MEMORY__LEASE", "1m"),
        ("BUS__ENDPOINTS__ORDERS__MEMORY__LANES", "false"),
        ("BUS__ENDPOINTS__ORDERS__MEMORY__MAX_LENGTH", "7"),
    ]);
    let said = refused(None, variables).await;
    assert_eq!(said, "it is there with no options already, not with .lease(60s).max_length(7)");
}

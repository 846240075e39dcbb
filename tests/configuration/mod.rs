//! Settings from files and from the environment.

mod filters;
mod mistakes;
mod page;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
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
        "the bus cannot be built: the settings: endpoint `orders`: unknown key `prefech`: did you mean `prefetch`?"
    );
}

#[tokio::test]
async fn options_of_the_transport_lie_over_those_of_the_program() {
    let declared = |toml: &'static str| async move {
        let queue = |e: bus::EndpointBuilder| e.consumer(Orders).with(bus::inmemory::endpoint().max_length(5));
        // Another bus has declared the queue, and holds it: whoever says something else about it is refused.
        let other = bus::builder("memory://options").endpoint("orders", queue).build().unwrap();
        other.start().await.unwrap();
        let bus = bus::builder("memory://options")
            .endpoint_defaults(|e| e.with(bus::inmemory::endpoint().lanes()))
            .start_timeout(Duration::from_secs(5))
            .configuration(Configuration::from_toml(toml))
            .endpoint("orders", queue)
            .build()
            .unwrap();
        let started = bus.start().await.map_err(|error| format!("{error:?}"));
        bus.stop().await;
        other.stop().await;
        started.map_or_else(|error| error, |()| "as the program said".to_owned())
    };
    // What all endpoints are told is outweighed by what one was told by the program.
    for same in ["", "endpoint_defaults.memory = { max_length = 9 }", "endpoints.orders.rabbitmq = { quorum = true }"] {
        // Only a transport that is compiled in, or could be, has a table.
        assert_eq!(declared(same).await, "as the program said", "{same}");
    }
    let refused = declared("[endpoints.orders.memory]\nlease = '30s'\nmax_length = 6").await;
    assert!(refused.contains(".lease(30s).max_length(6)"), "{refused}");
}

//! A log has no routing keys: who asks for them hears of it before the start.

use bus_core::{Builder, Error, Message, bus::Catalog, consumer::Failure};
use serde::{Deserialize, Serialize};

use crate::{driver::LogDriver, stage::HANDOVER};

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Log", exchange_type = "direct", crate = bus_core)]
struct Priced {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Log", crate = bus_core)]
struct Ordered {}

#[test]
fn a_broker_without_routing_keys_refuses_each_endpoint_that_asks_for_them() {
    let built = Builder::new("log://mistakes", Catalog::default())
        .driver(LogDriver::leak(1, HANDOVER))
        .endpoint("priced", |e| e.consumer(async |_: Priced| Ok::<_, Failure>(())))
        .endpoint("bound", |e| e.consumer(async |_: Ordered| Ok::<_, Failure>(())).bind_key("topic:prices", "eu"))
        .endpoint("typed", |e| {
            e.consumer(async |_: Ordered| Ok::<_, Failure>(())).bind("topic:typed-prices?type=topic")
        })
        .build();
    let Err(Error::Build(error)) = built else { panic!("{built:?}") };
    let problems: Vec<_> = error.problems().iter().map(|it| (it.endpoint.as_deref().unwrap(), &*it.text)).collect();
    let reason = "this broker has no routing keys, every subscriber gets a copy of every message";
    assert_eq!(
        problems,
        [
            ("priced", &*format!("its topic `Bus.Log:Priced` is of type `direct`: {reason}")),
            ("bound", &*format!("it asks for a routing key of `topic:prices`: {reason}")),
            ("typed", &*format!("its topic `typed-prices` is of type `topic`: {reason}")),
        ]
    );
}

//! The types of a queue's arguments. The management API does not tell them; the broker does when it refuses
//! a declaration that lacks one: `received none but current is the value '300000' of type 'long'`.

use std::time::{Duration, Instant};

use bus_core::{
    envelope::HeaderValue,
    topology::{Queue, Topology},
    transport::{ApplyMode, Driver, Environment, TransportError},
};
use bus_rabbitmq::{DRIVER, endpoint};
use serde_json::{Map, Value};

use crate::entities::Entities;

/// Asks for every argument of every queue that is not for another connection alone; how many there were.
pub(crate) async fn check(url: &str, expected: &Entities) -> usize {
    let transport = DRIVER.open(url, Environment::default()).unwrap();
    transport.connect(Instant::now() + Duration::from_secs(30)).await.unwrap();
    let mut checked = 0;
    for (entity, declared) in expected.iter().filter(|(_, declared)| declared["exclusive"] == false) {
        let name = entity.trim_start_matches("queue `").trim_end_matches('`');
        let arguments = declared["arguments"].as_object().unwrap();
        for (argument, typed) in arguments {
            let mut topology = Topology::default();
            topology.queues.push(lacking(name, arguments, argument));
            let refused = transport.apply(&topology, ApplyMode::Create).await;
            let Err(TransportError::Topology { source, .. }) = refused else { panic!("{name}: {refused:?}") };
            let words = source.to_string();
            let value = typed["v"].as_str().map_or_else(|| typed["v"].to_string(), str::to_owned);
            let current = format!("current is the value '{value}' of type '{}'", typed["t"].as_str().unwrap());
            assert!(words.contains(argument) && words.contains(&current), "{name} should have {current}: {words}");
            checked += 1;
        }
    }
    transport.close(Instant::now() + Duration::from_secs(10)).await;
    checked
}

/// The queue with all of its arguments but one.
fn lacking(name: &str, arguments: &Map<String, Value>, argument: &str) -> Queue {
    let mut options = endpoint();
    for (name, typed) in arguments.iter().filter(|(name, _)| *name != argument) {
        let value = &typed["v"];
        options = options.argument(
            name.clone(),
            match typed["t"].as_str().unwrap() {
                "longstr" => HeaderValue::from(value.as_str().unwrap().to_owned()),
                "bool" => HeaderValue::from(value.as_bool().unwrap()),
                "signedint" => HeaderValue::from(i32::try_from(value.as_i64().unwrap()).unwrap()),
                "long" => HeaderValue::from(value.as_i64().unwrap()),
                other => panic!("{name} is of type {other}"),
            },
        );
    }
    let mut queue = Queue::new(name.into());
    queue.extensions.insert(options);
    queue
}

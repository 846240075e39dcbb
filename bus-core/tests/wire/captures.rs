//! The captured messages, from files.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use bus_core::envelope::{HeaderValue, Headers};
use bytes::Bytes;
use serde_json::Value;

/// One message that a MassTransit service put on the wire.
#[derive(Debug)]
pub(crate) struct Captured {
    /// Such as `bodies/02-publish-and-follow.1.json`.
    pub(crate) file: String,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) properties: Value,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masstransit")
}

pub(crate) fn read(file: &str) -> Vec<u8> {
    fs::read(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names of all scenarios, `02-publish-and-follow` first.
pub(crate) fn scenarios() -> Vec<String> {
    let names = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let numbered = names.filter(|name| name.starts_with(|first: char| first.is_ascii_digit()));
    let mut scenarios: Vec<String> = numbered.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    scenarios.sort();
    scenarios
}

/// The messages of the scenario whose name begins so, in order.
pub(crate) fn scenario(name: &str) -> Vec<Captured> {
    let file = scenarios().into_iter().find(|known| known.starts_with(name)).unwrap();
    let index: Value = serde_json::from_slice(&read(&format!("{file}.json"))).unwrap();
    index["messages"].as_array().unwrap().iter().map(captured).collect()
}

fn captured(message: &Value) -> Captured {
    let file = message["body"].as_str().unwrap().to_owned();
    let headers = message["headers"].as_object().unwrap();
    Captured {
        exchange: message["exchange"].as_str().unwrap().to_owned(),
        routing_key: message["routing_keys"][0].as_str().unwrap().to_owned(),
        properties: message["properties"].clone(),
        headers: headers.iter().map(|(name, header)| (name.clone(), value(header))).collect(),
        body: read(&file).into(),
        file,
    }
}

impl Captured {
    pub(crate) fn property(&self, name: &str) -> Option<Arc<str>> {
        self.properties[name].as_str().map(Into::into)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A header by the name that the broker's tracing gives to AMQP's types.
fn value(header: &Value) -> HeaderValue {
    let v = &header["v"];
    let whole = || v.as_i64().unwrap();
    match header["t"].as_str().unwrap() {
        "longstr" => HeaderValue::from(v.as_str().unwrap().to_owned()),
        "int" => HeaderValue::Int32(whole().try_into().unwrap()),
        "long" => HeaderValue::Int64(whole()),
        "short" => HeaderValue::Int16(whole().try_into().unwrap()),
        "ubyte" => HeaderValue::UInt8(whole().try_into().unwrap()),
        #[allow(clippy::cast_possible_truncation, reason = "the capture has it from 32 bits")]
        "float" => HeaderValue::Float(v.as_f64().unwrap() as f32),
        "double" => HeaderValue::Double(v.as_f64().unwrap()),
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small decimal of one digit")]
        "decimal" => HeaderValue::Decimal { scale: 1, value: (v.as_f64().unwrap() * 10.0) as u32 },
        "timestamp" => {
            HeaderValue::Time(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(whole().try_into().unwrap()))
        }
        other => panic!("a header of type {other}"),
    }
}

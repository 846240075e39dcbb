//! What the bus writes, it reads again, whatever the message, its headers and its options are.

use std::time::Duration;

use bus_core::{Bus, Message, envelope::Envelope};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::recorder::{Handle, recorder, started};

const CASES: u32 = 20_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts")]
struct Anything {
    text: String,
    whole: i64,
    huge: u64,
    real: f64,
    maybe: Option<bool>,
    list: Vec<String>,
    loose: Value,
}

#[derive(Debug, Clone)]
struct Posting {
    message: Anything,
    headers: Map<String, Value>,
    ids: [Option<Uuid>; 4],
    addresses: [Option<String>; 2],
    time_to_live: Option<Duration>,
}

/// Any text; short, since its length proves nothing.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn posting() -> impl Strategy<Value = Posting> {
    let finite = any::<f64>().prop_filter("JSON has no other", |real| real.is_finite());
    let list = prop::collection::vec(text(), 0..3);
    let message = (text(), any::<i64>(), any::<u64>(), finite, any::<Option<bool>>(), list, json()).prop_map(
        |(text, whole, huge, real, maybe, list, loose)| Anything { text, whole, huge, real, maybe, list, loose },
    );
    let id = || prop::option::of(any::<u128>().prop_filter("means none", |id| *id > 0).prop_map(Uuid::from_u128));
    let address = || {
        let parts = (prop::sample::select(vec!["queue", "exchange", "topic"]), any::<u16>(), any::<bool>());
        prop::option::of(parts.prop_map(|(scheme, name, typed)| {
            format!("{scheme}:Bestellübersicht-{name}{}", if typed { "?type=direct" } else { "" })
        }))
    };
    let headers = prop::collection::btree_map(text(), json(), 0..3);
    let time_to_live = prop::option::of((0..10_000_000_u64).prop_map(Duration::from_millis));
    (message, headers, [id(), id(), id(), id()], [address(), address()], time_to_live).prop_map(
        |(message, headers, ids, addresses, time_to_live)| Posting {
            message,
            headers: headers.into_iter().collect(),
            ids,
            addresses,
            time_to_live,
        },
    )
}

async fn post(bus: &Bus, posting: &Posting) {
    let mut outbound = bus.publish(posting.message.clone());
    for (name, value) in &posting.headers {
        outbound = outbound.header(name, value.clone());
    }
    let [message_id, correlation_id, conversation_id, request_id] = posting.ids;
    outbound = match message_id {
        Some(id) => outbound.message_id(id),
        None => outbound,
    };
    outbound = match correlation_id {
        Some(id) => outbound.correlation_id(id),
        None => outbound,
    };
    outbound = match conversation_id {
        Some(id) => outbound.conversation_id(id),
        None => outbound,
    };
    outbound = match request_id {
        Some(id) => outbound.request_id(id),
        None => outbound,
    };
    let [response, fault] = &posting.addresses;
    outbound = match response {
        Some(address) => outbound.response_address(address),
        None => outbound,
    };
    outbound = match fault {
        Some(address) => outbound.fault_address(address),
        None => outbound,
    };
    outbound = match posting.time_to_live {
        Some(time) => outbound.time_to_live(time),
        None => outbound,
    };
    outbound.await.unwrap();
}

fn assert_read_again(posting: &Posting, handle: &Handle) -> Result<(), TestCaseError> {
    let sent = handle.take().pop().unwrap();
    let envelope = Envelope::read(&sent.body).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(envelope.unreadable(), [""; 0]);
    prop_assert_eq!(&envelope.message, &serde_json::to_vec(&posting.message).unwrap());
    prop_assert_eq!(&serde_json::from_slice::<Anything>(&envelope.message).unwrap(), &posting.message);
    let mut headers = posting.headers.clone();
    headers.retain(|_, value| !value.is_null());
    prop_assert_eq!(envelope.headers(), headers);
    let [message_id, correlation_id, conversation_id, request_id] = posting.ids;
    prop_assert!(message_id.is_none() || envelope.message_id == message_id);
    prop_assert_eq!(envelope.message_id.map(|id| id.to_string().into()), sent.message_id);
    prop_assert_eq!(envelope.correlation_id, correlation_id);
    prop_assert!(envelope.conversation_id.is_some());
    prop_assert!(conversation_id.is_none() || envelope.conversation_id == conversation_id);
    prop_assert_eq!((envelope.request_id, envelope.initiator_id), (request_id, None));
    prop_assert_eq!([&envelope.response_address, &envelope.fault_address], posting.addresses.each_ref());
    prop_assert_eq!(&envelope.message_type, Anything::message_type().urns());
    let sent_time = envelope.sent_time.unwrap();
    prop_assert_eq!(envelope.expiration_time, posting.time_to_live.map(|time| sent_time + time));
    prop_assert_eq!(envelope.host(), Some(bus_core::envelope::Host::current().clone()));
    Ok(())
}

#[test]
fn an_envelope_that_was_written_is_read_as_it_was_meant() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (handle, builder) = recorder(None);
    let bus = runtime.block_on(started(builder));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&posting(), |posting| {
        runtime.block_on(post(&bus, &posting));
        assert_read_again(&posting, &handle)
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

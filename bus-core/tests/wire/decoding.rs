//! Every captured body is read, and nothing of it is lost.

use std::sync::{Arc, Mutex};

use bus_core::{
    Message,
    consumer::{Failure, Received},
    envelope::Envelope,
};
use jiff::Timestamp;
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

use crate::{
    captures::{Captured, scenario, scenarios},
    contracts::*,
    recorder::{recorder, started},
};

/// The bodies that are no envelope.
const RAW: [&str; 4] = [
    "bodies/22-raw-in.1.json",
    "bodies/29-raw-out.1.json",
    "bodies/30-raw-request.1.json",
    "bodies/30-raw-request.2.json",
];
const BAD: [&str; 2] = ["bodies/20-bad-body.1.json", "bodies/20-bad-body.3.json"];

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// 100 ns since 1970, as MassTransit counts.
fn ticks(time: Timestamp) -> i128 {
    assert_eq!(time.as_nanosecond() % 100, 0);
    time.as_nanosecond() / 100
}

/// A value without the `null`s of its members.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

fn assert_lossless(captured: &Captured) {
    let Captured { file, body, .. } = captured;
    let envelope = Envelope::read(body).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(envelope.unreadable(), [""; 0], "{file}");
    let json = captured.json();
    let mut compared = 0;
    let mut check = |member: &str, ours: Value| {
        assert_eq!(ours, json[member], "{file}: {member}");
        compared += usize::from(json.get(member).is_some());
    };
    for (member, id) in [
        ("messageId", envelope.message_id),
        ("requestId", envelope.request_id),
        ("correlationId", envelope.correlation_id),
        ("conversationId", envelope.conversation_id),
        ("initiatorId", envelope.initiator_id),
    ] {
        check(member, id.map(|id| id.to_string()).into());
    }
    for (member, address) in [
        ("sourceAddress", &envelope.source_address),
        ("destinationAddress", &envelope.destination_address),
        ("responseAddress", &envelope.response_address),
        ("faultAddress", &envelope.fault_address),
    ] {
        check(member, address.clone().into());
    }
    check("messageType", envelope.message_type.clone().into());
    if json.get("headers").is_some() {
        check("headers", envelope.headers().into());
    }
    for (member, time) in [("expirationTime", envelope.expiration_time), ("sentTime", envelope.sent_time)] {
        let theirs = text(&json[member]).map(|text| ticks(text.parse().unwrap()));
        assert_eq!(time.map(|time| ticks(time.try_into().unwrap())), theirs, "{file}: {member}");
        compared += usize::from(json.get(member).is_some());
    }
    let host = envelope.host().map(|host| serde_json::to_value(host).unwrap());
    assert_eq!(host.map(without_nulls), json.get("host").cloned().map(without_nulls), "{file}");
    compared += usize::from(json.get("host").is_some());

    // The payload is the very bytes of the body, not a copy.
    let members: std::collections::HashMap<&str, &RawValue> = serde_json::from_slice(body).unwrap();
    let payload = members["message"].get().as_bytes();
    assert_eq!(envelope.message, payload, "{file}");
    assert!(body.as_ptr_range().contains(&envelope.message.as_ptr()), "{file}: copied");
    assert_eq!(compared + 1, json.as_object().unwrap().len(), "{file}: a member that nobody compared");
}

#[test]
fn every_captured_envelope_is_read_without_loss() {
    let (mut envelopes, mut others) = (0, Vec::new());
    assert_eq!(scenarios().len(), 42);
    for name in scenarios() {
        for captured in scenario(&name) {
            if RAW.contains(&&*captured.file) || BAD.contains(&&*captured.file) {
                others.push(captured.file);
            } else {
                assert_lossless(&captured);
                envelopes += 1;
            }
        }
    }
    others.sort();
    assert_eq!(others, [&BAD[..], &RAW[..]].concat());
    assert_eq!(envelopes, 142);
}

#[test]
fn a_body_that_is_no_envelope_is_refused_with_the_place_and_the_reason() {
    for captured in scenario("20").iter().filter(|captured| BAD.contains(&&*captured.file)) {
        let error = Envelope::read(&captured.body).unwrap_err().to_string();
        assert_eq!(error, "the body is no MassTransit envelope: key must be a string at line 1 column 3");
    }
    for captured in [&scenario("22")[0], &scenario("29")[0], &scenario("30")[0]] {
        let error = Envelope::read(&captured.body).unwrap_err().to_string();
        assert_eq!(error, "the envelope has no `message`");
    }
}

/// Replays a raw message to an endpoint that takes raw JSON; what its handler was given.
async fn raw<M: Message + Clone>(captured: &Captured) -> (M, Envelope, Map<String, Value>) {
    let (handle, builder) = recorder(None);
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let handler = move |message: Received<M>| {
        let incoming = message.incoming();
        *sink.lock().unwrap() = Some((message.clone(), incoming.envelope.clone(), incoming.headers().clone()));
        async { Ok::<_, Failure>(()) }
    };
    let bus = started(builder.endpoint("raw", |endpoint| endpoint.raw_json().consumer(handler))).await;
    handle.replay(captured, "raw").await;
    bus.stop().await;
    assert_eq!(handle.sent().len(), 0, "it went to an error queue");
    let seen = seen.lock().unwrap().take();
    seen.unwrap()
}

fn id(text: &str) -> Option<Uuid> {
    Some(text.parse().unwrap())
}

#[tokio::test]
async fn a_raw_body_is_read_with_the_headers_around_it() {
    let well_known = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    let (message, envelope, _) = raw::<Sample>(&scenario("22")[0]).await;
    assert_eq!(message, Sample { seq: 1, id: Uuid::nil(), payload: "raw".to_owned() });
    assert_eq!(envelope.message, scenario("22")[0].body);
    assert_eq!(envelope.message_id, id(well_known), "the transport's own");
    assert_eq!(envelope.message_type, ["urn:message:Shop.Contracts:Sample"]);

    let captured = &scenario("29")[0];
    let (message, envelope, headers) = raw::<OrderSubmittedV2>(captured).await;
    assert_eq!((message.by.as_deref(), message.customer.as_deref(), message.lines), (Some("raw"), Some("Zoë"), 2));
    assert_eq!(envelope.message_id, id("d0160000-ba41-cc13-bbfc-08df4700f969"));
    assert_eq!(envelope.correlation_id, id(well_known));
    assert_eq!(envelope.conversation_id, id("d0160000-ba41-cc13-cde7-08df4700f969"));
    assert_eq!(envelope.source_address.as_deref(), captured.headers.text("MT-Source-Address"));
    assert_eq!(envelope.message_type.len(), 4);
    assert_eq!(Value::from(headers), serde_json::json!({"Tenant": "t-1"}), "none of MassTransit's own");

    let request = &scenario("30")[0];
    let (message, envelope, headers) = raw::<SubmitOrder>(request).await;
    assert_eq!(serde_json::to_value(message).unwrap(), request.json());
    assert_eq!(envelope.request_id, id("d0160000-ba41-cc13-7b37-08df4700f9d4"));
    assert_eq!(envelope.response_address.as_deref(), request.headers.text("MT-Response-Address"));
    assert!(headers.is_empty(), "{headers:?}");

    let response = &scenario("30")[1];
    let (message, envelope, _) = raw::<StatusResult>(response).await;
    assert_eq!(serde_json::to_value(message).unwrap(), response.json());
    assert_eq!(envelope.request_id, id("d0160000-ba41-cc13-7b37-08df4700f9d4"));
    assert_eq!(envelope.initiator_id, envelope.request_id);
    assert_eq!(envelope.conversation_id, id("d0160000-ba41-cc13-711b-08df4700f9d5"));
}

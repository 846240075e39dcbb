//! What MassTransit's receiver accepts, ours accepts, and says the same of it: every row of `reading.md` that is about the
//! envelope, through an endpoint.

use std::sync::{Arc, Mutex};

use bus_core::{
    Message,
    address::Destination,
    consumer::{Failure, Received},
    envelope::Envelope,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    captures::directory,
    recorder::{Handle, recorder, started},
    rows::{Row, rows},
};

/// Rows about the values of members: those are tested with the values.
const OF_VALUES: [&str; 18] = [
    "guid member",
    "date member",
    "date as number",
    "decimal",
    "int",
    "long",
    "double",
    "bool",
    "enum",
    "time span",
    "bytes",
    "day",
    "day with time",
    "char of two",
    "list from single",
    "list null",
    "map",
    "uri relative",
];

/// Rows with another outcome on purpose: the row, its outcome here, and why. The same table stands in
/// `docs/masstransit-differences.md`.
const OTHERWISE: [(usize, &str, &str); 8] = [
    (6, "consumed: ", "a bad id loses no message: it is absent, and the log names it"),
    (25, "consumed: ", "a bad date loses no message: it is absent, and the log names it"),
    (72, "-> probe_error", "comments and trailing commas are no JSON"),
    (73, "consumed: ", "a byte order mark is harmless"),
    (77, "consumed: ", "one type without brackets is unambiguous"),
    (96, "consumed: ", "a bad host loses no message: it is absent"),
    (97, "consumed: ", "a bad host loses no message: it is absent"),
    (101, "consumed: response=not a uri", "an address is read when it is used"),
];

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Shop")]
struct Probe {
    case: String,
    int: Option<i32>,
    text: Option<String>,
}

/// What the handler saw, in the words of the page.
fn seen(probe: &Probe, envelope: &Envelope) -> String {
    let mut words = Vec::new();
    let mut say = |name: &str, value: Option<String>| words.extend(value.map(|value| format!("{name}={value}")));
    let time = |time: std::time::SystemTime| format!("{:.7}", jiff::Timestamp::try_from(time).unwrap());
    say("Int", probe.int.map(|int| int.to_string()));
    say("Text", probe.text.clone());
    say("messageId", envelope.message_id.map(|id| id.to_string()));
    say("sentTime", envelope.sent_time.map(time));
    say("expiration", envelope.expiration_time.map(time));
    say("response", envelope.response_address.clone());
    let host = envelope.host();
    say("host", host.map(|host| format!("{}#{}", host.machine_name.unwrap_or_default(), host.process_id)));
    let headers: Vec<String> =
        envelope.headers().iter().map(|(name, value)| format!("{name}:{}", typed(value))).collect();
    say("headers", (!headers.is_empty()).then(|| headers.join(",")));
    words.join(" ")
}

/// A header's value with the name of the .NET type that its handler got.
fn typed(value: &Value) -> String {
    match value {
        Value::Null => "…()".to_owned(),
        Value::Bool(true) => "True(Boolean)".to_owned(),
        Value::Bool(false) => "False(Boolean)".to_owned(),
        Value::Number(number) if number.is_i64() => format!("{number}(Int64)"),
        Value::Number(number) => format!("{number}(Double)"),
        Value::String(text) => format!("{text}(String)"),
        Value::Array(_) => "…(List)".to_owned(),
        Value::Object(_) => "…(Dictionary)".to_owned(),
    }
}

/// A page's outcome as this test says it: why it went to the error queue is each parser's own, an offset of nothing is
/// `Z`, and headers have no order.
fn comparable(outcome: &str) -> String {
    let outcome = match outcome.split_once("-> probe_") {
        Some((_, to)) => format!("-> probe_{}", to.split(':').next().unwrap()),
        None => outcome.replace("+00:00", "Z"),
    };
    match outcome.split_once("headers=") {
        Some((before, headers)) => {
            let mut headers: Vec<&str> = headers.split(',').collect();
            headers.sort_unstable();
            format!("{before}headers={}", headers.join(","))
        }
        None => outcome.trim_end().to_owned(),
    }
}

/// What became of a row: the handler's words, or the queue that it was moved to.
async fn outcome(handle: &Handle, words: &Mutex<Vec<String>>, row: &Row) -> String {
    let before = handle.sent().len();
    let fill = |delivery: &mut bus_core::transport::Delivery| {
        delivery.content_type.clone_from(&row.content_type);
        delivery.headers = row.headers.clone();
    };
    handle.deliver("probe", row.body.clone(), fill).await;
    let moved = handle.sent().into_iter().skip(before).find_map(|sent| match sent.to {
        Destination::Queue(queue) => Some((queue, sent.body)),
        Destination::Topic(_) => None,
    });
    match (moved, words.lock().unwrap().pop()) {
        (Some((queue, body)), None) => {
            assert_eq!(body, row.body, "moved as it came");
            format!("-> {queue}")
        }
        (None, Some(said)) => format!("consumed: {said}"),
        (moved, said) => panic!("{row:?}: moved {moved:?}, consumed {said:?}"),
    }
}

#[tokio::test]
async fn every_variation_of_the_envelope_has_the_outcome_that_it_has_with_masstransit() {
    let (handle, builder) = recorder(None);
    let words: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = words.clone();
    let handler = move |probe: Received<Probe>| {
        sink.lock().unwrap().push(seen(&probe, &probe.incoming().envelope));
        async { Ok::<_, Failure>(()) }
    };
    let _bus = started(builder.endpoint("probe", |endpoint| endpoint.consumer(handler))).await;
    let (mut compared, mut otherwise) = (0, Vec::new());
    let all = rows();
    assert_eq!(all.len(), 104);
    for row in all.iter().filter(|row| !OF_VALUES.contains(&&*row.variation)) {
        let (ours, theirs) = (comparable(&outcome(&handle, &words, row).await), comparable(&row.outcome));
        compared += 1;
        if ours != theirs {
            otherwise.push((row.number, ours));
        }
    }
    let told: Vec<_> = OTHERWISE.iter().map(|(row, ours, _)| (*row, ours.trim_end().to_owned())).collect();
    assert_eq!(otherwise, told, "left: what differs, right: what the table says");
    assert_eq!(compared, 49);
}

#[tokio::test]
async fn a_urn_is_taken_in_any_case() {
    let (handle, builder) = recorder(None);
    let handled: Arc<Mutex<u32>> = Arc::default();
    let sink = handled.clone();
    let handler = move |_: Received<Probe>| {
        *sink.lock().unwrap() += 1;
        async { Ok::<_, Failure>(()) }
    };
    let _bus = started(builder.endpoint("probe", |endpoint| endpoint.consumer(handler))).await;
    for urn in ["urn:message:Shop:Probe", "urn:message:shop:probe", "URN:Message:SHOP:probE"] {
        let body = format!(r#"{{"messageType":["{urn}"],"message":{{"case":"c76"}}}}"#);
        handle.deliver("probe", body.into(), |_| {}).await;
    }
    assert_eq!(*handled.lock().unwrap(), 3);
    assert!(handle.sent().is_empty());
}

#[test]
fn the_documentation_lists_every_body_that_is_taken_otherwise() {
    let page = std::fs::read_to_string(directory().join("../../../../docs/masstransit-differences.md")).unwrap();
    let all = rows();
    let expected: Vec<String> = OTHERWISE
        .iter()
        .map(|(number, ours, reason)| {
            let Row { variation, outcome, .. } = &all[number - 1];
            let ours = ours.trim_end_matches([':', ' ']);
            format!("| {number} | {variation} | {} | {ours} | {reason} |", comparable(outcome))
        })
        .collect();
    let begin = page.lines().position(|line| line.starts_with("| row")).unwrap() + 2;
    let listed: Vec<&str> = page.lines().skip(begin).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(listed, expected, "left: the page, right: the table");
}

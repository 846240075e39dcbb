//! Two messages member by member: what MassTransit wrote, and what the bus writes for the same act.
//!
//! `null` is absent. Left out or only compared in kind: ids (but those that are equal to each other have to be so on both
//! sides), times, hosts, stack traces, names of consumers and of exception types, and what the .NET client library adds.

use std::collections::{BTreeMap, HashMap};

use bus_core::{address::Destination, envelope::HeaderValue, envelope::Headers, transport::Outgoing};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    captures::{Captured, scenario},
    differences::DIFFERENCES,
};

type Members = BTreeMap<String, String>;

/// Ids that stand in the acts themselves, and have to be these.
const KNOWN: [&str; 4] = [
    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "11111111-2222-3333-4444-555555555555",
    "8f9d3c0e-5b7a-4c39-9f0b-2d5a1f4e6c70",
    "00000000-0000-0000-0000-000000000000",
];

/// Compares what was sent with the capture's messages of these numbers, in this order. What differs has to be exactly
/// what the table says.
#[track_caller]
pub(crate) fn assert_same(capture: &str, sent: &[Outgoing], numbers: &[usize]) {
    let captured = scenario(capture);
    assert_eq!(sent.len(), numbers.len(), "messages of {capture}");
    let mut theirs: Vec<_> = numbers.iter().map(|number| members_of_captured(&captured[number - 1])).collect();
    let mut ours: Vec<_> = sent.iter().map(members_of_sent).collect();
    for members in [&mut theirs, &mut ours] {
        name_ids(members);
        if capture == "20" {
            members.iter_mut().for_each(without_texts_of_parsers);
        }
    }
    let (mut found, mut shown) = (Vec::new(), String::new());
    for ((number, theirs), ours) in numbers.iter().zip(&theirs).zip(&ours) {
        let mut members: Vec<&String> = theirs.keys().chain(ours.keys()).collect();
        members.sort();
        members.dedup();
        for member in members.into_iter().filter(|member| theirs.get(*member) != ours.get(*member)) {
            found.push((format!("{capture}.{number}"), member.clone()));
            let (theirs, ours) = (theirs.get(member), ours.get(member));
            shown.push_str(&format!("{capture}.{number} {member}: theirs {theirs:?}, ours {ours:?}\n"));
        }
    }
    let of_this = DIFFERENCES.iter().filter(|(message, ..)| message.split('.').next() == Some(capture));
    let mut told: Vec<_> = of_this.map(|(message, member, _)| (message.to_string(), member.to_string())).collect();
    told.sort();
    found.sort();
    assert_eq!(found, told, "left: what differs, right: what the table says\n{shown}");
}

fn members_of_captured(captured: &Captured) -> Members {
    let mut members = Members::new();
    // To the default exchange the key is the queue.
    let to_queue = captured.exchange.is_empty();
    let (entity, key) =
        if to_queue { (&captured.routing_key, "") } else { (&captured.exchange, &*captured.routing_key) };
    members.insert("exchange".to_owned(), entity.clone());
    members.insert("routing_key".to_owned(), key.to_owned());
    for (name, value) in captured.properties.as_object().unwrap() {
        members.insert(format!("properties.{name}"), value.as_str().map_or(value.to_string(), str::to_owned));
    }
    describe(&captured.headers, &captured.body, &mut members);
    members
}

fn members_of_sent(sent: &Outgoing) -> Members {
    let mut members = Members::new();
    // Queues are sent to through the default exchange , MassTransit's through their own.
    let (Destination::Queue(entity) | Destination::Topic(entity)) = &sent.to;
    members.insert("exchange".to_owned(), entity.to_string());
    members.insert("routing_key".to_owned(), sent.routing_key.as_deref().unwrap_or_default().to_owned());
    let own = |text: &std::sync::Arc<str>| text.to_string();
    for (name, value) in [
        ("content_type", sent.content_type.as_ref().map(own)),
        ("message_id", sent.message_id.as_ref().map(own)),
        ("correlation_id", sent.correlation_id.as_ref().map(own)),
        ("priority", sent.priority.map(|priority| priority.to_string())),
        ("expiration", sent.time_to_live.map(|time| time.as_millis().to_string())),
        ("delivery_mode", Some(if sent.durable { "2" } else { "1" }.to_owned())),
    ] {
        members.extend(value.map(|value| (format!("properties.{name}"), value)));
    }
    describe(&sent.headers, &sent.body, &mut members);
    members
}

/// Adds headers and body.
fn describe(headers: &Headers, body: &[u8], members: &mut Members) {
    for (name, value) in headers.iter() {
        if !["x-dotnet-pub-seq-no", "traceparent", "baggage"].contains(&name) {
            members.insert(format!("headers.{name}"), of_header(name, value));
        }
    }
    match serde_json::from_slice(body) {
        Ok(json) => of_body("body", &json, members),
        Err(_) => drop(members.insert("body".to_owned(), String::from_utf8_lossy(body).into_owned())),
    }
}

fn of_header(name: &str, value: &HeaderValue) -> String {
    let (kind, shown) = match value {
        HeaderValue::Text(text) => ("longstr", text.to_string()),
        HeaderValue::UInt8(number) => ("ubyte", number.to_string()),
        HeaderValue::Int16(number) => ("short", number.to_string()),
        HeaderValue::Int32(number) => ("int", number.to_string()),
        HeaderValue::Int64(number) => ("long", number.to_string()),
        HeaderValue::Float(number) => ("float", number.to_string()),
        HeaderValue::Double(number) => ("double", number.to_string()),
        HeaderValue::Time(time) => ("timestamp", Timestamp::try_from(*time).unwrap().as_second().to_string()),
        other => ("other", format!("{other:?}")),
    };
    let shown = match name {
        // .NET's own names of members.
        "MT-Host-Info" => {
            let host: Value = serde_json::from_str(&shown).unwrap();
            host.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        }
        "MT-Fault-Timestamp" => of_time(&shown, shown.len()),
        "MT-Fault-StackTrace" | "MT-Fault-ExceptionType" | "MT-Fault-ConsumerType" => "some".to_owned(),
        _ if name.starts_with("MT-Host-") => "some".to_owned(),
        _ => shown,
    };
    format!("{kind} {shown}")
}

/// Adds every leaf of a JSON value.
fn of_body(path: &str, value: &Value, members: &mut Members) {
    match value {
        Value::Null => {}
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| of_body(&format!("{path}.{name}"), value, members));
        }
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(at, value)| of_body(&format!("{path}.{at}"), value, members));
        }
        leaf => drop(members.insert(path.to_owned(), of_leaf(path, leaf))),
    }
}

fn of_leaf(path: &str, leaf: &Value) -> String {
    let text = leaf.as_str();
    let of_exception = path.starts_with("body.message.exceptions.");
    match path.rsplit('.').next().unwrap_or_default() {
        "sentTime" | "expirationTime" | "timestamp" => of_time(text.unwrap_or_default(), 0),
        "stackTrace" | "exceptionType" | "source" if of_exception && text.is_some() => "some".to_owned(),
        _ if path.starts_with("body.host.") || path.starts_with("body.message.host.") => {
            if text.is_some() { "text" } else { "number" }.to_owned()
        }
        _ => leaf.to_string(),
    }
}

/// A time is any time, but written as one.
fn of_time(text: &str, length: usize) -> String {
    let digits = text.trim_end_matches('Z').split('.').nth(1).unwrap_or_default();
    assert!(text.parse::<Timestamp>().is_ok() && text.ends_with('Z') && digits.len() <= 7, "{text}");
    // In JSON without trailing zeros, in headers with all digits: `length` tells the second.
    assert!(length > 0 || !digits.ends_with('0'), "{text}");
    format!("time {length}")
}

/// What a parser says of a bad body is its own.
fn without_texts_of_parsers(members: &mut Members) {
    for (member, value) in members {
        if member == "headers.MT-Fault-Message" || member.contains(".exceptions.") && member.ends_with(".message") {
            "some".clone_into(value);
        }
    }
}

/// Replaces every id by the place where it stands first: what is equal stays so.
fn name_ids(messages: &mut [Members]) {
    let mut names: HashMap<Uuid, String> = HashMap::new();
    for (at, members) in messages.iter_mut().enumerate() {
        for (member, value) in members {
            let bare = value.trim_start_matches("longstr ").trim_matches('"').to_owned();
            if bare.len() == 36
                && !KNOWN.contains(&&*bare)
                && let Ok(id) = Uuid::parse_str(&bare)
            {
                let name = names.entry(id).or_insert_with(|| format!("the {member} of {at}"));
                *value = value.replace(&bare, name);
            }
        }
    }
}

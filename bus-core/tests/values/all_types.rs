//! A captured message with a member of every kind: read, compared with the C# sample behind it, and written again.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use bus_core::{
    Message,
    envelope::Envelope,
    message::value::{self, Date, DateTimeOffset},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use uuid::Uuid;

const BODY: &[u8] = include_bytes!("../fixtures/masstransit/bodies/07-all-types.1.json");

#[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Shop.Contracts", crate = bus_core)]
struct AllTypes {
    id: Uuid,
    text: String,
    empty: String,
    missing: Option<String>,
    letter: char,
    yes: bool,
    small: u8,
    short: i16,
    int: i32,
    long: i64,
    u_long: u64,
    float: f32,
    double: f64,
    #[serde(with = "value::decimal")]
    decimal: String,
    #[serde(with = "value::decimal")]
    decimal_trailing: String,
    #[serde(with = "value::time_span")]
    duration: Duration,
    #[serde(with = "value::time_span")]
    long_duration: Duration,
    #[serde(with = "value::date_time")]
    utc: SystemTime,
    #[serde(with = "value::date_time")]
    utc_whole: SystemTime,
    #[serde(with = "value::date_time")]
    unspecified: SystemTime,
    offset: DateTimeOffset,
    date: Date,
    #[serde(with = "value::time")]
    time: Duration,
    #[serde(with = "value::number")]
    color: Color,
    rights: Rights,
    #[serde(with = "value::bytes")]
    bytes: Vec<u8>,
    uri: String,
    nothing: Option<i32>,
    something: Option<i32>,
    numbers: Vec<i32>,
    lines: Vec<Line>,
    map: BTreeMap<String, String>,
    loose: serde_json::Map<String, serde_json::Value>,
    nested: Line,
    url_of_thing: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    sku: String,
    count: i32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Color {
    Red,
    Green,
    DarkBlue,
}

impl From<Color> for i64 {
    fn from(color: Color) -> Self {
        color as Self
    }
}

impl TryFrom<i64> for Color {
    type Error = ();

    fn try_from(number: i64) -> Result<Self, ()> {
        [Self::Red, Self::Green, Self::DarkBlue].into_iter().find(|color| *color as i64 == number).ok_or(())
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Rights(u32);

/// `AllTypes.Sample()` of the C# contracts. The instants come from `date -u -d … +%s`.
fn sample() -> AllTypes {
    let instant = |seconds, ticks: u32| SystemTime::UNIX_EPOCH + Duration::new(seconds, ticks * 100);
    let line = |sku: &str, count| Line { sku: sku.to_owned(), count };
    let text = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    AllTypes {
        id: Uuid::from_u128(0x8f9d_3c0e_5b7a_4c39_9f0b_2d5a_1f4e_6c70),
        text: "naïve 東京 \"quoted\" <b>&amp;</b> 🚀 line\nbreak\ttab".to_owned(),
        empty: String::new(),
        missing: None,
        letter: 'é',
        yes: true,
        small: 255,
        short: -32768,
        int: i32::MAX,
        long: i64::MAX,
        u_long: u64::MAX,
        float: std::f32::consts::PI,
        double: std::f64::consts::E,
        decimal: "79228162514264337593543950335".to_owned(),
        decimal_trailing: "12.50".to_owned(),
        duration: Duration::from_millis(((60 + 2) * 60 + 3) * 1000 + 450),
        long_duration: Duration::from_millis((((12 * 24 + 3) * 60 + 4) * 60 + 5) * 1000 + 678),
        utc: instant(1_795_170_030, 1_234_567),
        utc_whole: instant(1_767_323_045, 0),
        unspecified: instant(1_767_323_045, 0),
        offset: DateTimeOffset::new(instant(1_795_150_230, 1), 330).unwrap(),
        date: Date::new(2026, 2, 28).unwrap(),
        time: Duration::from_millis(86_399_999),
        color: Color::DarkBlue,
        rights: Rights(1 | 4),
        bytes: vec![0, 1, 2, 250, 255],
        uri: "https://shop.example/a?b=c%20d".to_owned(),
        nothing: None,
        something: Some(7),
        numbers: vec![1, 2, 3],
        lines: vec![line("A-1", 2), line("B-2", 0)],
        map: [("One", "1"), ("two words", "2")].map(text).into(),
        loose: serde_json::from_value(json!({"n": 1.5, "s": "x", "b": false, "list": [1, "a", null]})).unwrap(),
        nested: line("C-3", -1),
        url_of_thing: "http://x".to_owned(),
    }
}

fn captured() -> Bytes {
    Envelope::read(&Bytes::from_static(BODY)).unwrap().message
}

#[test]
fn the_captured_message_is_the_sample() {
    let read: AllTypes = serde_json::from_slice(&captured()).unwrap();
    assert_eq!(read, sample());
}

#[test]
fn the_sample_is_written_as_it_was_captured() {
    let written = serde_json::to_string(&sample()).unwrap();
    let written: BTreeMap<&str, &RawValue> = serde_json::from_str(&written).unwrap();
    let body = captured();
    let captured: BTreeMap<&str, &RawValue> = serde_json::from_slice(&body).unwrap();
    assert_eq!(written.keys().collect::<Vec<_>>(), captured.keys().collect::<Vec<_>>());
    assert_eq!(captured.len(), 35);

    for (name, captured) in captured {
        let written = written[name];
        if name == "unspecified" {
            // A `SystemTime` is UTC: it is written so.
            assert_eq!((captured.get(), written.get()), (r#""2026-01-02T03:04:05""#, r#""2026-01-02T03:04:05Z""#));
        } else {
            assert_eq!(canonical(written), canonical(captured), "{name}");
        }
    }
}

/// JSON without differences that carry no meaning: white space, escapes, order of members. Numbers keep their digits.
fn canonical(json: &RawValue) -> String {
    let text = json.get();
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        format!("{:?}", members.into_iter().map(|(name, json)| (name, canonical(json))).collect::<Vec<_>>())
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        format!("{:?}", items.into_iter().map(canonical).collect::<Vec<_>>())
    } else if let Ok(text) = serde_json::from_str::<String>(text) {
        format!("{text:?}")
    } else {
        text.to_owned()
    }
}

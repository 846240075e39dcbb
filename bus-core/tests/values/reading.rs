//! Every variation of a member that was put before a MassTransit receiver: what it took, these types take.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use bus_core::message::value::{self, Date, DateTimeOffset};
use serde::Deserialize;
use uuid::Uuid;

const OUTCOMES: &str = include_str!("../fixtures/masstransit/reading.md");

#[allow(dead_code, reason = "that it can be read is all that counts")]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    int: Option<i32>,
    long: Option<i64>,
    #[serde(default, with = "value::decimal::option")]
    decimal: Option<String>,
    double: Option<f64>,
    bool: Option<bool>,
    guid: Option<Uuid>,
    #[serde(default, with = "value::date_time::option")]
    date: Option<SystemTime>,
    offset: Option<DateTimeOffset>,
    #[serde(default, with = "value::time_span::option")]
    span: Option<Duration>,
    day: Option<Date>,
    #[serde(default, with = "value::number::option")]
    color: Option<Color>,
    #[serde(default, with = "value::bytes::option")]
    bytes: Option<Vec<u8>>,
    list: Option<Vec<i32>>,
    map: Option<BTreeMap<String, i32>>,
    uri: Option<String>,
    text: Option<String>,
    char: Option<char>,
}

#[derive(Debug)]
#[allow(dead_code, reason = "that it can be read is all that counts")]
enum Color {
    Named(i64),
    Other(i64),
}

impl From<i64> for Color {
    fn from(number: i64) -> Self {
        if (0..=2).contains(&number) { Self::Named(number) } else { Self::Other(number) }
    }
}

/// The rows that vary members of the message: the message's JSON, and whether MassTransit took it.
fn rows() -> Vec<(String, bool)> {
    let members = |row: &'static str| {
        let (_, rest) = row.split_once("| `{… ,")?;
        // What follows the message is not about its members.
        let (members, outcome) = rest.split_once("}}` | ")?;
        Some((format!("{{{members}}}"), outcome.starts_with("consumed")))
    };
    let rows = OUTCOMES.lines().filter_map(members);
    rows.filter(|(json, _)| !json.contains(r#""headers""#) && !json.contains(r#""nope""#)).collect()
}

#[test]
fn what_masstransit_takes_is_taken_but_for_what_is_refused_on_purpose() {
    let mut differences = String::new();
    let rows = rows();
    assert_eq!(rows.len(), 57, "rows about members in the table");
    for (json, taken) in rows {
        match (serde_json::from_str::<Probe>(&json), taken) {
            (Ok(_), true) | (Err(_), false) => {}
            (Ok(_), false) => writeln!(differences, "only we take {json}").unwrap(),
            (Err(_), true) => writeln!(differences, "only MassTransit takes {json}").unwrap(),
        }
    }
    assert_eq!(
        differences,
        [
            r#"only we take {"guid":"0193b1e27c5e7d3a9f00aabbccddeeff"}"#,
            r#"only we take {"guid":"urn:uuid:0193b1e2-7c5e-7d3a-9f00-aabbccddeeff"}"#,
            r#"only we take {"date":"2026-11-20 10:20:30","offset":"2026-11-20 10:20:30"}"#,
            // MassTransit reads 125.
            r#"only MassTransit takes {"decimal":"12,5"}"#,
            // Serde's derive refuses what stands twice.
            r#"only MassTransit takes {"int":1,"int":2}"#,
            ""
        ]
        .join("\n")
    );
}

#[test]
fn every_optional_value_may_be_null_or_absent() {
    let absent: Probe = serde_json::from_str("{}").unwrap();
    let names = ["decimal", "date", "offset", "span", "day", "color", "bytes", "list"];
    let nulls: Vec<_> = names.iter().map(|name| format!(r#""{name}":null"#)).collect();
    let null: Probe = serde_json::from_str(&format!("{{{}}}", nulls.join(","))).unwrap();
    assert_eq!(format!("{null:?}"), format!("{absent:?}"));
    assert!(!format!("{null:?}").contains("Some"), "{null:?}");
}

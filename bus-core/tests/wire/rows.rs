//! The rows of `reading.md`: what was put on a queue, and what MassTransit made of it.

use std::sync::Arc;

use bus_core::envelope::Headers;
use bytes::Bytes;

use crate::captures::read;

/// One variation.
#[derive(Debug)]
pub(crate) struct Row {
    /// From 1, as the payloads count: `c01`.
    pub(crate) number: usize,
    pub(crate) variation: String,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<Arc<str>>,
    pub(crate) headers: Headers,
    /// As the page has it: `consumed: Int=2`, `-> probe_error: why`.
    pub(crate) outcome: String,
}

/// All rows of the page.
pub(crate) fn rows() -> Vec<Row> {
    let page = String::from_utf8(read("reading.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.enumerate().map(|(at, line)| row(at + 1, line)).collect()
}

fn row(number: usize, line: &str) -> Row {
    let mut cells = line.strip_prefix("| ").unwrap().splitn(3, " | ");
    let variation = cells.next().unwrap().to_owned();
    let shown = cells.next().unwrap().trim_matches('`');
    let outcome = cells.next().unwrap().strip_suffix('|').unwrap().trim().to_owned();
    let probe = format!(r#"{{"messageType":["urn:message:Shop:Probe"],"message":{{"case":"c{number:02}""#);
    let whole = format!("{probe}}}}}");
    let body: Bytes = match &*variation {
        "byte order mark" => ["\u{feff}".as_bytes(), whole.as_bytes()].concat().into(),
        "UTF-16" => whole.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "invalid UTF-8" => [probe.as_bytes(), b",\"text\":\"a\xFFb\"}}"].concat().into(),
        _ => match shown.strip_prefix("{…") {
            Some(rest) => format!("{probe}{}", rest.trim_start()).into(),
            None => shown.to_owned().into(),
        },
    };
    let usual = "application/vnd.masstransit+json";
    let mut headers = Headers::new();
    let content_type = match &*variation {
        "content type absent" => None,
        "content type in a header only" => {
            headers.set("Content-Type", usual);
            None
        }
        "raw JSON, raw content type, type header" => {
            headers.set("MT-MessageType", "urn:message:Shop:Probe");
            Some("application/json")
        }
        "AMQP headers beside the envelope's" => {
            headers.set("same", "amqp");
            headers.set("other", "amqp");
            Some(usual)
        }
        other => other.strip_prefix("content type ").or(Some(usual)),
    };
    Row { number, variation: variation.clone(), body, content_type: content_type.map(Into::into), headers, outcome }
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bus_core::envelope::{HeaderValue, Headers};
use bytes::Bytes;
use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, LongString, ShortString};

use crate::address::SHORT;

/// The header that says which publish a returned message was; lapin's own order does not.
pub(crate) const SEQUENCE: &str = "Bus-Seq";

/// Headers of a message that came back or arrived. A text that is not UTF-8 becomes bytes.
pub(crate) fn from_table(table: &FieldTable) -> Headers {
    table
        .into_iter()
        .filter(|(name, _)| name.as_str() != SEQUENCE)
        .map(|(name, value)| (name.as_str().to_owned(), from_amqp(value)))
        .collect()
}

/// A table for headers that [`size`] let through.
pub(crate) fn to_table(headers: &Headers) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in headers.iter() {
        if let Ok(name) = ShortString::try_new(name) {
            table.insert(name, to_amqp(value));
        }
    }
    table
}

/// lapin, and others, read tables in tables by recursion: deep ones overflow their stack.
pub(crate) const DEEPEST: usize = 16;

/// The bytes that the headers take on the wire, or which name AMQP has no room for.
pub(crate) fn size(headers: &Headers, deepest: usize) -> Result<usize, String> {
    headers.iter().map(|(name, value)| Ok(name_size(name)? + value_size(value, deepest)?)).sum()
}

fn name_size(name: &str) -> Result<usize, String> {
    match name.len() {
        length if length <= SHORT => Ok(length + 1),
        length => Err(format!("the header `{name}` has a name of {length} bytes; AMQP allows {SHORT}")),
    }
}

fn value_size(value: &HeaderValue, levels: usize) -> Result<usize, String> {
    if levels == 0 && matches!(value, HeaderValue::List(_) | HeaderValue::Map(_)) {
        return Err(format!("a header is nested deeper than {DEEPEST} levels"));
    }
    let inner = |value: &HeaderValue| value_size(value, levels.saturating_sub(1));
    Ok(match value {
        HeaderValue::Text(text) => text.len() + 5,
        HeaderValue::Bytes(bytes) => bytes.len() + 5,
        HeaderValue::List(values) => 5 + values.iter().map(inner).sum::<Result<usize, _>>()?,
        HeaderValue::Map(values) => {
            5 + values
                .iter()
                .map(|(name, value)| Ok(name_size(name)? + inner(value)?))
                .sum::<Result<usize, String>>()?
        }
        // The largest of the fixed ones.
        _ => 9,
    })
}

fn from_amqp(value: &AMQPValue) -> HeaderValue {
    match value {
        AMQPValue::Void => HeaderValue::Null,
        AMQPValue::Boolean(value) => HeaderValue::Bool(*value),
        AMQPValue::ShortShortInt(value) => HeaderValue::Int8(*value),
        AMQPValue::ShortInt(value) => HeaderValue::Int16(*value),
        AMQPValue::LongInt(value) => HeaderValue::Int32(*value),
        AMQPValue::LongLongInt(value) => HeaderValue::Int64(*value),
        AMQPValue::ShortShortUInt(value) => HeaderValue::UInt8(*value),
        AMQPValue::ShortUInt(value) => HeaderValue::UInt16(*value),
        AMQPValue::LongUInt(value) => HeaderValue::UInt32(*value),
        AMQPValue::Float(value) => HeaderValue::Float(*value),
        AMQPValue::Double(value) => HeaderValue::Double(*value),
        AMQPValue::DecimalValue(value) => HeaderValue::Decimal { scale: value.scale, value: value.value },
        AMQPValue::ShortString(text) => HeaderValue::from(text.as_str().to_owned()),
        AMQPValue::LongString(text) => match std::str::from_utf8(text.as_bytes()) {
            Ok(text) => HeaderValue::from(text.to_owned()),
            Err(_) => HeaderValue::Bytes(Bytes::copy_from_slice(text.as_bytes())),
        },
        AMQPValue::ByteArray(bytes) => HeaderValue::Bytes(Bytes::copy_from_slice(bytes.as_slice())),
        AMQPValue::Timestamp(seconds) => match UNIX_EPOCH.checked_add(Duration::from_secs(*seconds)) {
            Some(time) => HeaderValue::Time(time),
            // No point in time that this machine knows: the number itself, all bits of it.
            None => HeaderValue::Int64(seconds.cast_signed()),
        },
        AMQPValue::FieldArray(values) => HeaderValue::List(values.as_slice().iter().map(from_amqp).collect()),
        AMQPValue::FieldTable(table) => HeaderValue::Map(
            table.into_iter().map(|(name, value)| (name.as_str().to_owned(), from_amqp(value))).collect(),
        ),
    }
}

pub(crate) fn to_amqp(value: &HeaderValue) -> AMQPValue {
    match value {
        HeaderValue::Bool(value) => AMQPValue::Boolean(*value),
        HeaderValue::Int8(value) => AMQPValue::ShortShortInt(*value),
        HeaderValue::Int16(value) => AMQPValue::ShortInt(*value),
        HeaderValue::Int32(value) => AMQPValue::LongInt(*value),
        HeaderValue::Int64(value) => AMQPValue::LongLongInt(*value),
        HeaderValue::UInt8(value) => AMQPValue::ShortShortUInt(*value),
        HeaderValue::UInt16(value) => AMQPValue::ShortUInt(*value),
        HeaderValue::UInt32(value) => AMQPValue::LongUInt(*value),
        HeaderValue::Float(value) => AMQPValue::Float(*value),
        HeaderValue::Double(value) => AMQPValue::Double(*value),
        HeaderValue::Decimal { scale, value } => AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value }),
        HeaderValue::Text(text) => AMQPValue::LongString(LongString::from(text.as_bytes())),
        HeaderValue::Bytes(bytes) => AMQPValue::ByteArray(ByteArray::from(&bytes[..])),
        HeaderValue::Time(time) => AMQPValue::Timestamp(seconds(*time)),
        HeaderValue::List(values) => {
            AMQPValue::FieldArray(FieldArray::from(values.iter().map(to_amqp).collect::<Vec<_>>()))
        }
        HeaderValue::Map(values) => {
            let mut table = FieldTable::default();
            for (name, value) in values {
                if let Ok(name) = ShortString::try_new(name.as_str()) {
                    table.insert(name, to_amqp(value));
                }
            }
            AMQPValue::FieldTable(table)
        }
        // `Null`, and what core may learn later.
        _ => AMQPValue::Void,
    }
}

/// AMQP's times are whole seconds and none is before 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_header_survives_the_way_there_and_back() {
        let mut nested = FieldTable::default();
        nested.insert("a".into(), AMQPValue::LongInt(1));
        let mut table = FieldTable::default();
        for (index, value) in [
            AMQPValue::Void,
            AMQPValue::Boolean(true),
            AMQPValue::Boolean(false),
            AMQPValue::ShortShortInt(-1),
            AMQPValue::ShortShortUInt(255),
            AMQPValue::ShortInt(-300),
            AMQPValue::ShortUInt(60000),
            AMQPValue::LongInt(-70000),
            AMQPValue::LongUInt(4_000_000_000),
            AMQPValue::LongLongInt(i64::MIN),
            AMQPValue::Float(1.5),
            AMQPValue::Double(-2.25),
            AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 1250 }),
            AMQPValue::LongString(LongString::from("tëxt 🐇")),
            AMQPValue::LongString(LongString::from("")),
            AMQPValue::ByteArray(ByteArray::from(&[0_u8, 255][..])),
            AMQPValue::Timestamp(1_767_322_445),
            AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::Boolean(true), AMQPValue::Void])),
            AMQPValue::FieldTable(nested),
        ]
        .into_iter()
        .enumerate()
        {
            table.insert(format!("h{index}").into(), value);
        }
        assert_eq!(to_table(&from_table(&table)), table);
    }

    #[test]
    fn hostile_tables_arrive_whole() {
        let mut table = FieldTable::default();
        for number in 0..20_000 {
            table.insert(format!("h{number}").into(), AMQPValue::Void);
        }
        let mut nested = AMQPValue::Boolean(true);
        for _ in 0..100 {
            nested = AMQPValue::FieldArray(FieldArray::from(vec![nested]));
        }
        for (name, value) in [
            ("same", AMQPValue::LongInt(1)),
            ("SAME", AMQPValue::LongInt(2)),
            ("", AMQPValue::LongInt(3)),
            ("\u{0}\u{202e}", AMQPValue::LongString(LongString::from(vec![b'x'; 1 << 20]))),
            ("infinite", AMQPValue::Double(f64::NEG_INFINITY)),
            ("far", AMQPValue::Timestamp(1 << 40)),
            ("nested", nested),
        ] {
            table.insert(name.into(), value);
        }
        let headers = from_table(&table);
        assert_eq!(headers.len(), 20_007);
        assert_eq!(to_table(&headers), table);
        // No point in time: the bits stay.
        table.insert("never".into(), AMQPValue::Timestamp(u64::MAX));
        assert_eq!(from_table(&table).get("never"), Some(&HeaderValue::Int64(-1)));
    }

    #[test]
    fn a_text_that_is_none_arrives_as_bytes() {
        assert_eq!(
            from_amqp(&AMQPValue::LongString(LongString::from(&[0xff_u8][..]))),
            HeaderValue::Bytes(Bytes::from_static(&[0xff]))
        );
    }

    #[test]
    fn names_that_amqp_has_no_room_for_are_found_at_any_depth() {
        let mut headers = Headers::new();
        headers.set("a", "b");
        assert_eq!(size(&headers, 2), Ok(8));
        headers.set("m", HeaderValue::List(vec![HeaderValue::Map(vec![("n".repeat(256), HeaderValue::Null)])]));
        assert!(size(&headers, 2).unwrap_err().contains("256 bytes"));
    }
}

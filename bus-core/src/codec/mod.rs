//! From bytes to messages: payloads as .NET reads them, raw JSON, and the choice between formats.

mod lenient;
mod raw;
mod redact;
mod repeated;

use serde::de::DeserializeOwned;

pub(crate) use raw::{Around, RAW, read_raw, write_raw_headers};
pub(crate) use redact::redact;

use lenient::Lenient;

/// Decodes a payload. Names of members are compared without regard to case; of a repeated member the last
/// one counts; members that the type does not have are ignored.
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, serde_json::Error> {
    match decode_once(payload) {
        // serde refuses repeated members. They are rare, so only they pay for a second pass.
        Err(error) if error.is_data() && error.to_string().starts_with("duplicate field") => {
            let text = std::str::from_utf8(payload).map_err(serde::de::Error::custom)?;
            decode_once(repeated::last_of_repeated(text)?.as_bytes())
        }
        decoded => decoded,
    }
}

fn decode_once<T: DeserializeOwned>(payload: &[u8]) -> Result<T, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    let decoded = T::deserialize(Lenient::new(&mut json))?;
    json.end()?;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Order {
        order_id: u32,
        #[serde(default)]
        lines: Vec<Line>,
        note: Option<String>,
        #[serde(default)]
        map: BTreeMap<String, Line>,
        kind: Option<Kind>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        sku: String,
        #[serde(default)]
        count: i64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Plain,
        Gift { wrapping: String },
    }

    fn order(json: &str) -> Order {
        decode(json.as_bytes()).unwrap()
    }

    #[test]
    fn members_are_found_in_any_case_and_deep_inside() {
        let plain = order(
            r#"{"orderId":1,"lines":[{"sku":"a","count":2}],"note":"n","map":{"K":{"sku":"b"}},"kind":{"Gift":{"wrapping":"w"}}}"#,
        );
        let pascal = order(
            r#"{"OrderId":1,"LINES":[{"Sku":"a","COUNT":2}],"Note":"n","Map":{"K":{"SKU":"b"}},"Kind":{"Gift":{"Wrapping":"w"}}}"#,
        );
        assert_eq!(plain, pascal);
        assert_eq!(plain.map.keys().collect::<Vec<_>>(), ["K"], "keys of a dictionary are data");
        assert_eq!(order(r#"{"ORDERID":2,"kind":"Plain"}"#).kind, Some(Kind::Plain));
    }

    #[test]
    fn the_last_of_a_repeated_member_counts() {
        let read = order(r#"{"orderId":1,"note":"a","orderId":2,"lines":[{"sku":"x","sku":"y\n\u0041"}],"note":null}"#);
        assert_eq!((read.order_id, read.note), (2, None));
        assert_eq!(read.lines[0].sku, "y\nA");
        assert!(decode::<Order>(br#"{"orderId":1,"orderId":"x"}"#).is_err());
        let exact: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&repeated::last_of_repeated(r#"{"a":1.50,"a":2.500,"b":[1e2]}"#).unwrap()).unwrap();
        assert_eq!(exact["a"].get(), "2.500");
    }

    #[test]
    fn a_raw_part_is_kept_byte_for_byte() {
        #[derive(Deserialize)]
        struct Raw {
            part: Box<RawValue>,
        }
        assert_eq!(decode::<Raw>(br#"{"Part":{"A" : 1.50}}"#).unwrap().part.get(), r#"{"A" : 1.50}"#);
    }

    #[test]
    fn a_double_is_read_to_its_last_bit() {
        for (json, double) in [("2.0775590142600497e-122", 2.077_559_014_260_049_7e-122_f64), ("5e-324", 5e-324)] {
            assert_eq!(decode::<f64>(json.as_bytes()).unwrap().to_bits(), double.to_bits(), "{json}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for json in ["", "null", "5", r#"{"orderId":"1"}"#, r#"{"orderId":1} x"#, r#"{"lines":[]}"#] {
            assert!(decode::<Order>(json.as_bytes()).is_err(), "{json}");
        }
    }
}

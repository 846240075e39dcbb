//! C# `decimal`: a number as text, `"12.50"`, with every digit kept.
//!
//! Works for `String`, which holds the number's text with its scale, and for every type that prints and parses
//! a decimal number: `rust_decimal::Decimal`, `bigdecimal::BigDecimal`, integers. A `String` holds the text as
//! it stood on the wire, zeros at the end and exponent included.
//!
//! ```
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Invoice {
//!     #[serde(with = "value::decimal")]
//!     total: String,
//!     #[serde(with = "value::decimal")]
//!     cents: i64,
//!     #[serde(default, with = "value::decimal::option")]
//!     discount: Option<String>,
//! }
//!
//! let invoice: Invoice = serde_json::from_str(r#"{"total":12.50,"cents":"1.25e3"}"#)?;
//! assert_eq!((invoice.total.as_str(), invoice.cents), ("12.50", 1250));
//! assert_eq!(serde_json::to_string(&invoice)?, r#"{"total":"12.50","cents":"1250","discount":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Inside `#[serde(flatten)]`, `#[serde(untagged)]` and internally tagged enums serde keeps no numbers' digits:
//! there only text, which is what MassTransit writes, and integers can be read.

mod number;
mod read;

use std::{fmt::Display, str::FromStr};

use serde::{Deserializer, Serializer, ser::Error as _};

use super::text::Invalid;
use number::Number;

/// Writes the number's text, as the type prints it.
///
/// # Errors
/// A text that is no decimal number (`NaN`, `12,5`, an empty one), or a number that C# cannot hold: its decimal
/// goes to ±79228162514264337593543950335.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.to_string();
    Number::parse(&text).map_err(|why| S::Error::custom(Invalid { kind: "decimal", text: &text, why }))?;
    serializer.serialize_str(&text)
}

/// Reads a text or a number, digit by digit: nothing passes through a float. Where the type does not parse an
/// exponent, it gets the number without one.
///
/// # Errors
/// A text that is no decimal number; group separators (`12,5`), since MassTransit takes that for 125 and a person
/// for 12.5; a number that C# cannot hold; what the type itself refuses; JSON that is neither text nor number.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    // The name by which serde_json hands out the text of a number. Formats that do not know it, and a serde_json
    // that had renamed it, come to `visit_newtype_struct`.
    deserializer.deserialize_newtype_struct("$serde_json::private::RawValue", read::Raw::new())
}

option_twin!(T, write: [Display], read: [FromStr<Err: Display>]);

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn read(json: &str) -> Result<String, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_and_numbers_are_read_digit_by_digit() {
        for (json, text) in [
            ("12.50", "12.50"),
            (r#""12.50""#, "12.50"),
            ("1e3", "1e3"),
            (r#""1e3""#, "1e3"),
            ("-1.5E-3", "-1.5E-3"),
            ("-0", "-0"),
            (" 0.10 ", "0.10"),
            (r#"" 12.50 ""#, "12.50"),
            (r#""+12.50""#, "+12.50"),
            (r#"".5""#, ".5"),
            (r#""\u0031""#, "1"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            (r#""79228162514264337593543950335""#, "79228162514264337593543950335"),
            (r#""-79228162514264337593543950335""#, "-79228162514264337593543950335"),
            ("0.1000000000000000000000000001", "0.1000000000000000000000000001"),
        ] {
            assert_eq!(read(json).as_deref(), Ok(text), "{json}");
            let whole: serde_json::Value = serde_json::from_str(&format!(r#"{{"a":{json}}}"#)).unwrap();
            if whole["a"].is_string() {
                assert_eq!(deserialize::<String, _>(whole["a"].clone()).unwrap(), text, "from a Value");
            }
        }
    }

    #[test]
    fn a_type_that_parses_no_exponent_gets_the_plain_number() {
        for (json, number) in [("1e3", 1000), (r#""1.2E+1""#, 12), ("42", 42)] {
            let read: Result<i32, _> = deserialize(&mut serde_json::Deserializer::from_str(json));
            assert_eq!(read.ok(), Some(number), "{json}");
        }
        let error = deserialize::<i32, _>(&mut serde_json::Deserializer::from_str("12.50")).unwrap_err();
        assert_eq!(error.to_string(), "invalid decimal `12.50`: invalid digit found in string");
    }

    #[test]
    fn what_is_no_decimal_says_why() {
        let check = |json: &str, expected: &str| {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}: {error}");
        };
        check(r#""12,5""#, "invalid decimal `12,5`: it has a comma: group separators are not read");
        check("79228162514264337593543950336", "invalid decimal `79228162514264337593543950336`: it is beyond");
        check("1e29", "invalid decimal `1e29`: it is beyond what a C# decimal can hold");
        for text in ["", " ", "x", "1.2.3", "1e", "1e1.5", "--1", ".", "NaN", "0x1F", "1 000", "١"] {
            check(&format!("\"{text}\""), &format!("invalid decimal `{text}`: it is not a decimal number"));
        }
        for json in ["true", "null", "[1]", "{}"] {
            check(json, &format!("invalid decimal `{json}`: expected a decimal as text or number"));
        }
    }

    #[test]
    fn what_dotnet_cannot_hold_is_not_written() {
        let write = |value: &dyn Display| serialize(&value, serde_json::value::Serializer).map(|json| json.to_string());
        assert_eq!(write(&"12.50").unwrap(), r#""12.50""#);
        assert_eq!(write(&-5).unwrap(), r#""-5""#);
        assert_eq!(write(&1.25).unwrap(), r#""1.25""#);
        for value in [&"12,5" as &dyn Display, &f64::NAN, &f64::MAX, &"", &" 1", &"79228162514264337593543950336"] {
            assert!(write(value).unwrap_err().to_string().starts_with("invalid decimal"), "{value}");
        }
    }

    #[test]
    fn flattened_text_and_integers_are_read_and_floats_refused() {
        #[derive(Debug, Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        #[derive(Debug, Deserialize)]
        struct Inner {
            #[serde(with = "super")]
            total: String,
            #[serde(default, with = "super::option")]
            discount: Option<String>,
        }
        let outer: Outer = serde_json::from_str(r#"{"total":"12.50","discount":7}"#).unwrap();
        assert_eq!((outer.inner.total.as_str(), outer.inner.discount.as_deref()), ("12.50", Some("7")));
        let error = serde_json::from_str::<Outer>(r#"{"total":12.50}"#).unwrap_err().to_string();
        assert!(error.contains("has lost its digits here, send text"), "{error}");
    }
}

//! C# enums: a number, flags as their sum, for types that convert from and to `i64`.
//!
//! A C# enum may hold numbers that its type does not name, and a newer peer may name more. A type that has
//! no place for them makes reading fail; a variant such as `Other(i64)` keeps them.
//!
//! ```
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Clone, Copy, PartialEq)]
//! enum Color {
//!     Red,
//!     Green,
//!     Other(i64),
//! }
//!
//! impl From<i64> for Color {
//!     fn from(number: i64) -> Self {
//!         match number {
//!             0 => Self::Red,
//!             1 => Self::Green,
//!             other => Self::Other(other),
//!         }
//!     }
//! }
//!
//! impl From<Color> for i64 {
//!     fn from(color: Color) -> Self {
//!         match color {
//!             Color::Red => 0,
//!             Color::Green => 1,
//!             Color::Other(other) => other,
//!         }
//!     }
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Paint {
//!     #[serde(with = "value::number")]
//!     color: Color,
//!     #[serde(default, with = "value::number::option")]
//!     second: Option<Color>,
//! }
//!
//! let paint: Paint = serde_json::from_str(r#"{"color":1,"second":9}"#)?;
//! assert_eq!((paint.color, paint.second), (Color::Green, Some(Color::Other(9))));
//! assert_eq!(serde_json::to_string(&paint)?, r#"{"color":1,"second":9}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! With `TryFrom<i64>` in place of `From`, numbers that it refuses are an error. For flags, a newtype of an
//! integer with `#[serde(transparent)]` needs no attribute.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Writes the number.
///
/// # Errors
/// The serializer's own.
pub fn serialize<T: Copy + Into<i64>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64((*value).into())
}

/// Reads a number.
///
/// # Errors
/// A number that the type refuses; the error names both. JSON that is no integer, a name in place of the number
/// included.
pub fn deserialize<'de, T: TryFrom<i64>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let number = i64::deserialize(deserializer)?;
    T::try_from(number).map_err(|_| {
        let name = std::any::type_name::<T>();
        let name = name.rsplit("::").next().unwrap_or(name);
        D::Error::custom(format_args!("`{name}` has no value {number}"))
    })
}

option_twin!(T, write: [Copy + Into<i64>], read: [TryFrom<i64>]);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Color {
        Red = 0,
        DarkBlue = 2,
    }

    impl From<Color> for i64 {
        fn from(color: Color) -> Self {
            color as Self
        }
    }

    impl TryFrom<i64> for Color {
        type Error = ();

        fn try_from(number: i64) -> Result<Self, ()> {
            [Self::Red, Self::DarkBlue].into_iter().find(|color| *color as i64 == number).ok_or(())
        }
    }

    fn read(json: &str) -> Result<Color, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_enum_is_its_number() {
        for (json, color) in [("0", Color::Red), ("2", Color::DarkBlue)] {
            assert_eq!(read(json), Ok(color));
            assert_eq!(serialize(&color, serde_json::value::Serializer).unwrap().to_string(), json);
        }
    }

    #[test]
    fn a_number_without_a_name_and_a_name_are_refused() {
        let check = |json: &str, expected: &str| {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}: {error}");
        };
        check("9", "`Color` has no value 9");
        check("-1", "`Color` has no value -1");
        for json in [r#""DarkBlue""#, r#""darkBlue""#, r#""dark_blue""#, r#""2""#] {
            check(json, &format!("invalid type: string {json}, expected i64"));
        }
        check("2.0", "invalid type: floating point `2.0`, expected i64");
        check("9223372036854775808", "invalid value: integer `9223372036854775808`, expected i64");
        check("null", "invalid type: null, expected i64");
    }
}

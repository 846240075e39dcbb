//! The values of settings, as people write them.

use std::{fmt, time::Duration};

use jiff::fmt::friendly::SpanParser;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A duration as people write it, with its units: `"200ms"`, `"30s"`, `"1h 30m"`. For fields of filters and options
/// of transports; those of the bus itself are written so too.
///
/// ```
/// use bus_core::configuration::Time;
/// use std::time::Duration;
///
/// let pause: Time = serde_json::from_str(r#""1m 500ms""#)?;
/// assert_eq!(pause.0, Duration::from_millis(60_500));
/// assert!(serde_json::from_str::<Time>("30").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration, such as \"200ms\", \"30s\" or \"1h 30m\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
                duration(text)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn duration<E: Error>(text: &str) -> Result<Time, E> {
    static PARSER: SpanParser = SpanParser::new();
    PARSER.parse_unsigned_duration(text.trim()).map(Time).map_err(|_| {
        E::custom(format_args!(
            "`{text}` is no duration: write it with its unit, such as \"200ms\", \"30s\" or \"1h 30m\""
        ))
    })
}

/// A [`Time`] longer than zero, or `"none"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration, such as \"30s\", or \"none\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                if text.trim() == "none" {
                    return Ok(Limit(None));
                }
                match duration(text)? {
                    Time(Duration::ZERO) => Err(E::custom("it must be longer than zero; for no limit write \"none\"")),
                    Time(time) => Ok(Limit(Some(time))),
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A number from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u16);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer, "a whole number from 1 to 65535").map(Self)
    }
}

/// Bytes, at least one: `1048576`, `"64MiB"`, `"500kB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer, "a number of bytes from 1, or a size such as \"64MiB\"").map(Self)
    }
}

/// Whole numbers that cannot be zero, and what a text stands for.
trait Whole: TryFrom<u64> {
    fn of_text(text: &str) -> Option<u64>;
}

impl Whole for u16 {
    fn of_text(_text: &str) -> Option<u64> {
        None
    }
}

impl Whole for usize {
    fn of_text(text: &str) -> Option<u64> {
        let text = text.trim();
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "B" => 1,
            "kB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }
}

fn whole<'de, T: Whole, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<T, D::Error> {
    struct Number<T>(&'static str, std::marker::PhantomData<T>);
    impl<T: Whole> Visitor<'_> for Number<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
            let refuse = || E::custom(format_args!("expected {}, found `{number}`", self.0));
            if number == 0 { Err(refuse()) } else { T::try_from(number).map_err(|_| refuse()) }
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
            // Zero is none of them either.
            match u64::try_from(number) {
                Ok(number) => self.visit_u64(number),
                Err(_) => Err(E::custom(format_args!("expected {}, found `{number}`", self.0))),
            }
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            match T::of_text(text) {
                Some(number) => self.visit_u64(number),
                None => Err(E::custom(format_args!("expected {}, found `{text}`", self.0))),
            }
        }
    }
    deserializer.deserialize_any(Number(expected, std::marker::PhantomData))
}

/// `true`, `false`, `"effectively_once"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outbox {
    Off,
    On,
    EffectivelyOnce,
}

impl<'de> Deserialize<'de> for Outbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mode;
        impl Visitor<'_> for Mode {
            type Value = Outbox;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or \"effectively_once\"")
            }
            fn visit_bool<E>(self, on: bool) -> Result<Outbox, E> {
                Ok(if on { Outbox::On } else { Outbox::Off })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Outbox, E> {
                match text {
                    "effectively_once" => Ok(Outbox::EffectivelyOnce),
                    _ => Err(E::custom(format_args!("expected true, false or \"effectively_once\", found `{text}`"))),
                }
            }
        }
        deserializer.deserialize_any(Mode)
    }
}

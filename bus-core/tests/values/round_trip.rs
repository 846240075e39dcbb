//! What is written is read as the same value, for many values. The seed is fixed.

use std::time::{Duration, SystemTime};

use bus_core::message::value::{self, Date, DateTimeOffset};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Decimal(#[serde(with = "value::decimal")] String, #[serde(with = "value::decimal::option")] Option<i64>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TimeSpan(
    #[serde(with = "value::time_span")] Duration,
    #[serde(with = "value::time_span::option")] Option<Duration>,
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct DateTime(
    #[serde(with = "value::date_time")] SystemTime,
    #[serde(with = "value::date_time::option")] Option<SystemTime>,
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Time(#[serde(with = "value::time")] Duration, #[serde(with = "value::time::option")] Option<Duration>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Number(#[serde(with = "value::number")] i64, #[serde(with = "value::number::option")] Option<i64>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bytes(#[serde(with = "value::bytes")] Vec<u8>, #[serde(with = "value::bytes::option")] Option<Vec<u8>>);

/// Written as text, read from text and from a parsed `Value`.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> Result<(), TestCaseError> {
    let json = serde_json::to_string(value).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{}", json);
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    prop_assert_eq!(&serde_json::from_value::<T>(parsed).unwrap(), value, "{}", json);
    Ok(())
}

const DAY: u64 = 864_000_000_000;
/// 0001-01-01 and 9999-12-31T23:59:59.9999999 in ticks since 1970.
const FIRST: i64 = -621_355_968_000_000_000;
const LAST: i64 = 2_534_023_007_999_999_999;

/// Ticks are 100 ns.
fn span(ticks: u64) -> Duration {
    Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100)
}

fn instant(ticks: i64) -> SystemTime {
    let since = span(ticks.unsigned_abs());
    if ticks < 0 { SystemTime::UNIX_EPOCH - since } else { SystemTime::UNIX_EPOCH + since }
}

/// Of every size, with few and with many zeros at the end.
fn ticks(max: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        0..=max,
        (0..=max).prop_map(|ticks| ticks / 10_000_000 * 10_000_000),
        (0..=max, 0..63).prop_map(|(t, n)| t >> n)
    ]
}

fn instants() -> impl Strategy<Value = i64> {
    ticks(LAST.abs_diff(FIRST)).prop_flat_map(|ticks| {
        let near_1970 = (ticks % DAY) as i64 - (DAY / 2) as i64;
        prop_oneof![Just(FIRST + ticks as i64), Just(near_1970)]
    })
}

proptest! {
    #![proptest_config(Config {
        cases: 3000,
        rng_seed: RngSeed::Fixed(0x0B05),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn decimals(sign in "-?", digits in "[0-9]{1,28}", fraction in "(\\.[0-9]{1,28})?", cents: Option<i64>) {
        let text = format!("{sign}{digits}{fraction}");
        check(&Decimal(text.clone(), cents))?;
        // As a number too, if JSON allows its zeros.
        if let Ok(number) = serde_json::from_str::<&serde_json::value::RawValue>(&text) {
            let read: Decimal = serde_json::from_str(&format!("[{number},null]")).unwrap();
            prop_assert_eq!(read, Decimal(text, None));
        }
    }

    #[test]
    fn time_spans(ticks in ticks(i64::MAX as u64), beyond in 0..100_u64, other in proptest::option::of(0..DAY)) {
        check(&TimeSpan(span(ticks), other.map(span)))?;
        let cut = serde_json::to_string(&TimeSpan(span(ticks) + Duration::from_nanos(beyond), None)).unwrap();
        prop_assert_eq!(cut, serde_json::to_string(&TimeSpan(span(ticks), None)).unwrap());
    }

    #[test]
    fn times(ticks in ticks(DAY - 1), other in proptest::option::of(0..DAY)) {
        check(&Time(span(ticks), other.map(span)))?;
    }

    #[test]
    fn date_times(ticks in instants(), beyond in 0..100_u64, other in proptest::option::of(instants())) {
        check(&DateTime(instant(ticks), other.map(instant)))?;
        let cut = serde_json::to_string(&DateTime(instant(ticks) + Duration::from_nanos(beyond), None)).unwrap();
        prop_assert_eq!(cut, serde_json::to_string(&DateTime(instant(ticks), None)).unwrap());
    }

    #[test]
    fn date_time_offsets(ticks in instants(), beyond in 0..100_u64, offset in -840..=840_i16) {
        let at = DateTimeOffset::new(instant(ticks) + Duration::from_nanos(beyond), offset);
        let local = i128::from(ticks) + i128::from(offset) * 600_000_000;
        prop_assert_eq!(at.is_some(), (FIRST.into()..=LAST.into()).contains(&local));
        if let Some(at) = at {
            prop_assert_eq!((at.instant(), at.offset_minutes()), (instant(ticks), offset));
            check(&(at, Some(at)))?;
        }
    }

    #[test]
    fn dates(year in 1..=9999_u16, month in 1..=12_u8, day in 1..=28_u8) {
        let date = Date::new(year, month, day).unwrap();
        check(&(date, Some(date)))?;
    }

    #[test]
    fn numbers(number: i64, other: Option<i64>) {
        check(&Number(number, other))?;
    }

    #[test]
    fn byte_arrays(bytes in proptest::collection::vec(any::<u8>(), 0..48), other in proptest::option::of(any::<[u8; 4]>())) {
        check(&Bytes(bytes, other.map(Vec::from)))?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}", near in "[-+0-9.:TZe, ]{0,40}") {
        for text in [text, near] {
            let json = serde_json::to_string(&text).unwrap();
            let _ = value::decimal::deserialize::<String, _>(serde_json::Value::from(text));
            let _ = serde_json::from_str::<Date>(&json);
            let _ = serde_json::from_str::<DateTimeOffset>(&json).map(|at| check(&at).unwrap());
            let pair = format!("[{json},{json}]");
            let _ = serde_json::from_str::<TimeSpan>(&pair).map(|span| check(&span).unwrap());
            let _ = serde_json::from_str::<Time>(&pair).map(|time| check(&time).unwrap());
            let _ = serde_json::from_str::<DateTime>(&pair).map(|time| check(&time).unwrap());
            let _ = serde_json::from_str::<Bytes>(&pair).map(|bytes| check(&bytes).unwrap());
        }
    }
}

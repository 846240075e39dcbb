use serde::{
    Deserialize,
    de::{Error as _, value::Error},
};

use super::values::Time;
use crate::Retry;

/// A retry policy without its filters, which only the program can name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Pace(pub(crate) Retry);

/// `"none"`, or a table with one key: `{ immediate = 3 }`.
#[derive(Debug, Deserialize)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`\"none\"` or a pace, such as `{ immediate = 3 }` or `{ interval = { limit = 3, pause = \"1s\" } }`"
)]
enum Written {
    None,
    Immediate(u32),
    Interval { limit: u32, pause: Time },
    Intervals(Vec<Time>),
    Incremental { limit: u32, initial: Time, increment: Time },
    Exponential { limit: u32, min: Time, max: Time },
}

impl TryFrom<Written> for Pace {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        Ok(Self(match written {
            Written::None => Retry::none(),
            Written::Immediate(limit) => Retry::immediate(limit),
            Written::Interval { limit, pause } => Retry::interval(limit, pause.0),
            Written::Intervals(pauses) => Retry::intervals(pauses.into_iter().map(|pause| pause.0)),
            Written::Incremental { limit, initial, increment } => Retry::incremental(limit, initial.0, increment.0),
            Written::Exponential { min, max, .. } if min.0 > max.0 => {
                return Err(Error::custom("`min` is longer than `max`"));
            }
            Written::Exponential { limit, min, max } => Retry::exponential(limit, min.0..max.0),
        }))
    }
}

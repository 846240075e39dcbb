//! Member values in the forms that MassTransit writes: one serde module for each kind that serde would
//! write differently.
//!
//! Name a module with `#[serde(with = "…")]`; on an `Option` name its `option` twin, for which null and
//! absent are `None`. [`Date`] and [`DateTimeOffset`] are types of their own and need no attribute; nor do
//! texts, `char`, `bool`, integers, floats, `Uuid`, lists and maps, which serde already writes as
//! MassTransit does.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Invoice {
//!     #[serde(with = "value::decimal")]
//!     total: String,
//!     #[serde(default, with = "value::time_span::option")]
//!     payable_within: Option<Duration>,
//!     #[serde(with = "value::date_time")]
//!     created: SystemTime,
//!     service_day: value::Date,
//! }
//!
//! let json = concat!(
//!     r#"{"total":"12.50","payableWithin":"30.00:00:00","#,
//!     r#""created":"2026-11-20T10:20:30.1234567Z","serviceDay":"2026-02-28"}"#
//! );
//! let invoice: Invoice = serde_json::from_str(json)?;
//! assert_eq!(invoice.payable_within, Some(Duration::from_secs(30 * 24 * 60 * 60)));
//! assert_eq!(serde_json::to_string(&invoice)?, json);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A serde attribute reaches the member itself, not the items of a `Vec` or a map. For those, put the
//! attribute on a type of your own:
//!
//! ```
//! # use bus_core::message::value;
//! # use serde::{Deserialize, Serialize};
//! #[derive(Serialize, Deserialize)]
//! #[serde(transparent)]
//! struct Money(#[serde(with = "value::decimal")] String);
//!
//! let prices: Vec<Money> = serde_json::from_str(r#"["12.50", 3]"#)?;
//! assert_eq!(serde_json::to_string(&prices)?, r#"["12.50","3"]"#);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! Reading takes what MassTransit takes and a little more; what is written, MassTransit takes.

mod calendar;
#[macro_use]
mod option_twin;
mod text;

pub mod bytes;
mod date;
pub mod date_time;
mod date_time_offset;
pub mod decimal;
pub mod number;
pub mod time;
pub mod time_span;

pub use date::Date;
pub use date_time_offset::DateTimeOffset;

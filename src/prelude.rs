//! What most programs use: `use bus::prelude::*;`.
//!
//! ```
//! use bus::prelude::*;
//!
//! #[derive(Debug, Serialize, Deserialize, Message)]
//! #[message(namespace = "Acme.Orders")]
//! struct Paid {
//!     amount: String,
//! }
//!
//! async fn book(paid: Paid) -> Result<(), Failure> {
//!     let amount = paid.amount.parse::<u64>().permanent()?; // not retried: the message goes to `_error`
//!     if amount == 0 {
//!         return Err(Discard::new("nothing to book").into()); // completed, and nowhere else
//!     }
//!     Ok(())
//! }
//! # let _ = bus::builder("memory://shop").endpoint("books", |e| e.consumer(book));
//! ```
//!
//! `Serialize`, `Deserialize` and `Uuid` are those of serde and uuid; deriving the former needs `serde` in
//! the program's own manifest.
//!
//! Of the arguments of handlers, those are here whose names mean one thing to a program on a bus. `Headers`, `Attempt`,
//! `RequestId` and `InitiatorId` stay in [`extract`](crate::extract): web frameworks and programs have their own.

pub use bus_core::{
    Bus, Message, Retry, consumer,
    consumer::{Context, Discard, Failure, Received, ResultExt},
    extract::{ConversationId, CorrelationId, MessageId, State},
    fault::Fault,
    handle,
};
#[doc(no_inline)]
pub use serde::{Deserialize, Serialize};
#[doc(no_inline)]
pub use uuid::Uuid;

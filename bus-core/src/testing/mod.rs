//! Tests of consumers without waiting: a bus of its own, a record of everything that happened on it, and a
//! clock that is moved by hand.
//!
//! ```
//! # use bus_core::{Message, consumer::{Context, Failure}};
//! # use serde::{Serialize, Deserialize};
//! # #[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
//! # #[message(namespace = "Acme.Orders", crate = bus_core)]
//! # struct Submitted { number: u32 }
//! # #[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
//! # #[message(namespace = "Acme.Orders", crate = bus_core)]
//! # struct Reserve { number: u32 }
//! use bus_core::testing::Harness;
//!
//! async fn reserve(order: Submitted, ctx: Context) -> Result<(), Failure> {
//!     ctx.publish(Reserve { number: order.number }).await?;
//!     Ok(())
//! }
//!
//! # async fn test(driver: &'static dyn bus_core::transport::Driver) {
//! let h = Harness::on(driver, "memory://a-test", |b| b.endpoint("orders", |e| e.consumer(reserve))).await;
//! h.publish(Submitted { number: 7 }).await;
//! h.settled().await;
//! assert_eq!(h.published::<Reserve>().one().number, 7);
//! # }
//! ```

mod activity;
mod harness;
mod journal;
mod recorded;
mod trace;
mod watched;

use std::sync::Arc;

pub use harness::Harness;
pub use recorded::{Recorded, Recordings};

use crate::{observer::Observer, transport::Transport};

/// What a harness puts into the bus that it watches.
pub(crate) struct Instruments {
    pub(crate) observer: Box<dyn Observer>,
    pub(crate) wrap: Wrap,
}

type Wrap = Box<dyn FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport> + Send>;

//! What most programs use: `use bus::prelude::*;`.
//!
//! `Serialize`, `Deserialize` and `Uuid` are those of serde and uuid; deriving the former needs `serde` in
//! the program's own manifest.

pub use bus_core::{
    Bus, Message, Retry, consumer,
    consumer::{Context, Discard, Failure, Received, ResultExt},
    extract::State,
    fault::Fault,
};
#[doc(no_inline)]
pub use serde::{Deserialize, Serialize};
#[doc(no_inline)]
pub use uuid::Uuid;

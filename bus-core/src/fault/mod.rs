//! What becomes of a message that could not be handled: [`Fault`] tells others, and the message itself
//! goes to `_error` or `_skipped` with the reason in its headers.

mod exception;
mod message;
mod move_aside;
mod reason;
mod tell;

pub use exception::ExceptionInfo;
pub use message::Fault;
pub(crate) use move_aside::{Aside, fault_headers, move_aside, skipped_headers};
pub(crate) use reason::{Reason, panic_text};
pub(crate) use tell::{Told, tell};

//! A receive endpoint at work: it takes deliveries from its queue, runs the consumers on them, and settles
//! each one exactly once.

mod dispatch;
mod hold;
mod pump;
mod status;

pub(crate) use dispatch::Dispatcher;
pub(crate) use hold::{Backoff, Stopped, Stopping, insist};
pub(crate) use pump::{Running, start};
pub(crate) use status::{Holding, Status};

//! A receive endpoint at work: it takes deliveries from its queue, runs the consumers on them, and settles
//! each one exactly once.

mod arrival;
mod at_work;
mod dispatch;
mod failed;
mod hold;
mod lane;
mod lease;
mod pump;
mod redelivery;
mod relocate;
mod starts;
mod status;
mod stopping;
mod turn;
mod waiting;

pub(crate) use arrival::{OVERDUE, STARTS};
pub(crate) use dispatch::Dispatcher;
pub(crate) use hold::{Backoff, insist};
pub(crate) use pump::{Running, start};
pub(crate) use redelivery::{REDELIVERIES, Redelivery};
pub(crate) use relocate::relocate;
pub(crate) use status::{Holding, Status, Trouble};
pub(crate) use stopping::{Stopped, Stopping};

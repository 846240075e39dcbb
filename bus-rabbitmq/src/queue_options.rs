use std::time::Duration;

use bus_core::envelope::HeaderValue;
use lapin::types::{FieldTable, ShortString};

use crate::headers::to_amqp;

/// How a queue is declared beyond its name; in the extensions of a
/// [`Queue`](bus_core::topology::Queue). The default is a durable classic queue without arguments.
///
/// An existing queue with other arguments refuses to be declared: that is an error at start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueOptions {
    arguments: Vec<(&'static str, HeaderValue)>,
    auto_delete_exchange: bool,
}

impl QueueOptions {
    /// A durable classic queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A replicated queue: `x-queue-type=quorum`.
    #[must_use]
    pub fn quorum(self) -> Self {
        self.argument("x-queue-type", "quorum")
    }

    /// One consumer at a time gets all messages: `x-single-active-consumer`.
    #[must_use]
    pub fn single_active_consumer(self) -> Self {
        self.argument("x-single-active-consumer", true)
    }

    /// The broker deletes the queue when nobody used it for so long: `x-expires`, in whole milliseconds, at
    /// least one.
    #[must_use]
    pub fn expires(self, after: Duration) -> Self {
        self.argument("x-expires", i64::try_from(after.as_millis().max(1)).unwrap_or(i64::MAX))
    }

    /// The exchange in front of the queue goes with its last binding. Default: it stays.
    #[must_use]
    pub fn auto_delete_exchange(mut self) -> Self {
        self.auto_delete_exchange = true;
        self
    }

    /// Any other argument of the queue, in place of one of that name.
    #[must_use]
    pub fn argument(mut self, name: &'static str, value: impl Into<HeaderValue>) -> Self {
        self.arguments.retain(|(known, _)| *known != name);
        self.arguments.push((name, value.into()));
        self
    }

    pub(crate) fn exchange_goes(&self) -> bool {
        self.auto_delete_exchange
    }

    pub(crate) fn table(&self) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in &self.arguments {
            if let Ok(name) = ShortString::try_new(*name) {
                table.insert(name, to_amqp(value));
            }
        }
        table
    }
}

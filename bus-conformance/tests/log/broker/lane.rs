use std::fmt;

use bus_core::{address::Destination, transport::Lane};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) topic: Destination,
    pub(crate) partition: usize,
}

impl LaneKey {
    /// As the bus knows it.
    pub(crate) fn lane(&self) -> Lane {
        Lane(self.to_string().into())
    }
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

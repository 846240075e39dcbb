use bus_core::Message;
use serde::{Deserialize, Serialize};

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", crate = bus_core)]
pub(crate) struct Ticked {
    pub(crate) number: u32,
}

/// A numbered event of another type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", crate = bus_core)]
pub(crate) struct Tocked {
    pub(crate) number: u32,
}

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

/// An event without members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", crate = bus_core)]
pub(crate) struct Rang {}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", crate = bus_core)]
pub(crate) struct Said {
    pub(crate) text: String,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", crate = bus_core)]
pub(crate) struct Counted {
    pub(crate) number: u32,
}

/// An event that fulfils the contract, and has more to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", implements(Counted), crate = bus_core)]
pub(crate) struct Stepped {
    pub(crate) number: u32,
    pub(crate) foot: String,
}

/// An event whose subscribers choose by routing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Conformance", exchange_type = "topic", crate = bus_core)]
pub(crate) struct Priced {
    pub(crate) number: u32,
}

/// What a program with another idea of a type sends.
pub(crate) mod elsewhere {
    use bus_core::Message;
    use serde::{Deserialize, Serialize};

    /// The numbered event, with its number in words.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
    #[message(namespace = "Bus.Conformance", crate = bus_core)]
    pub(crate) struct Ticked {
        pub(crate) number: String,
    }
}

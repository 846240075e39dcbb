//! Messages that cannot be, or not beside each other.

use bus::prelude::*;

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
pub(super) struct Ping {}

/// A second type with the URN of the first.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", name = "Ping")]
pub(super) struct Twin {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
pub(super) struct Paid {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", entity_name = "no name")]
pub(super) struct Named {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", entity_name = "shared", exchange_type = "direct")]
pub(super) struct Direct {}

/// The same entity, of another type.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests", entity_name = "shared")]
pub(super) struct Fanned {}

//! The namespace that Cargo.toml gives to all messages of the crate, and the root that is found there.

use bus_core::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
struct SubmitOrder {}

#[derive(Serialize, Deserialize, Message)]
#[message(namespace = "Acme.Type")]
struct CancelOrder {}

#[test]
fn the_crate_gives_the_namespace_unless_the_type_has_its_own() {
    assert_eq!(SubmitOrder::message_type().urn(), "urn:message:Acme.Crate:SubmitOrder");
    assert_eq!(CancelOrder::message_type().urn(), "urn:message:Acme.Type:CancelOrder");
}

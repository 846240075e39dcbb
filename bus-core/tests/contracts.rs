//! Contracts written with the derive have the names that MassTransit gave to their C# originals: each type is compared
//! with a captured message, its `messageType`, its exchange and its `correlationId`. `fixtures/masstransit` holds what
//! MassTransit 8.5.12 sent, byte for byte.

#[path = "contracts/shop.rs"]
mod shop;

use std::{fs, path::Path};

use bus_core::{Message, MessageType, fault::Fault, topology::Topology};
use serde_json::Value;
use shop::*;
use uuid::Uuid;

/// One message of a capture.
struct Captured {
    exchange: String,
    envelope: Value,
}

fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masstransit").join(path);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The `nth` message of a scenario, from 1 as the names of the bodies count.
fn captured(scenario: &str, nth: usize) -> Captured {
    let entry = &read(&format!("{scenario}.json"))["messages"][nth - 1];
    let envelope = read(entry["body"].as_str().unwrap());
    Captured { exchange: entry["exchange"].as_str().unwrap().to_owned(), envelope }
}

impl Captured {
    fn urns(&self) -> Vec<&str> {
        self.envelope["messageType"].as_array().unwrap().iter().map(|urn| urn.as_str().unwrap()).collect()
    }

    /// The payload as a message of that type.
    fn payload<M: Message>(&self) -> M {
        serde_json::from_value(self.envelope["message"].clone()).unwrap()
    }
}

/// Compares the names of `M`.
#[track_caller]
fn assert_names<M: Message>(scenario: &str, nth: usize) {
    let (captured, message_type) = (captured(scenario, nth), M::message_type());
    assert_eq!(message_type.urns(), captured.urns(), "{scenario}.{nth}");
    assert_eq!(message_type.entity_name(), captured.exchange, "{scenario}.{nth}");
}

/// Compares the names of `M`, and the id that it is correlated by.
#[track_caller]
fn assert_message<M: Message>(scenario: &str, nth: usize) {
    assert_names::<M>(scenario, nth);
    let captured = captured(scenario, nth);
    let id: Option<Uuid> = serde_json::from_value(captured.envelope["correlationId"].clone()).unwrap();
    assert_eq!(captured.payload::<M>().correlation_id(), id, "{scenario}.{nth}");
}

fn urns(types: &[&'static MessageType]) -> Vec<&'static str> {
    types.iter().map(|message_type| message_type.urn()).collect()
}

#[test]
fn a_message_is_published_under_its_own_name_and_those_of_its_contracts() {
    assert_message::<SubmitOrder>("02-publish-and-follow", 1);
    assert_message::<OrderSubmitted>("02-publish-and-follow", 2);
    assert_message::<OrderSubmittedV2>("03-publish-concrete", 1);
    assert_message::<LeafEvent>("06-attributes", 5);
    assert_eq!(
        urns(OrderSubmittedV2::message_type().contracts()),
        urns(&[OrderSubmitted::message_type(), OrderEvent::message_type(), OrderAudited::message_type()])
    );
}

#[test]
fn who_consumes_a_contract_gets_that_part_of_the_payload() {
    let published = captured("03-publish-concrete", 1);
    let whole: OrderSubmittedV2 = published.payload();
    assert_eq!(published.payload::<OrderEvent>(), OrderEvent { order_id: whole.order_id });
    assert_eq!(published.payload::<OrderAudited>(), OrderAudited { by: "me".to_owned() });
    let submitted = OrderSubmitted { order_id: whole.order_id, by: whole.by, customer: "Bob".to_owned() };
    assert_eq!(published.payload::<OrderSubmitted>(), submitted);
}

#[test]
fn nested_and_generic_types_are_named_by_their_parts() {
    assert_message::<Inner>("05-type-names", 1);
    assert_message::<Wrapped<Line>>("05-type-names", 2);
    assert_message::<Pair<Line, Wrapped<Inner>>>("05-type-names", 3);
}

#[test]
fn attributes_rename_the_urn_or_the_exchange() {
    assert_message::<RenamedEntity>("06-attributes", 1);
    assert_message::<RenamedUrn>("06-attributes", 2);
    assert_message::<ShortUrn>("06-attributes", 3);
}

#[test]
fn a_type_outside_the_topology_is_named_but_has_no_exchange() {
    assert_message::<OverHidden>("06-attributes", 4);
    assert!(!HiddenBase::message_type().is_in_topology());
    let topology = Topology::of_published(OverHidden::message_type());
    assert_eq!(topology.topics.len(), 1, "{topology:?}");
    assert_eq!(topology.bindings, []);
    // A contract that is in it: the exchange beside it is what makes the above say something.
    assert_eq!(Topology::of_published(MiddleEvent::message_type()).topics.len(), 2);
}

#[test]
fn messages_are_correlated_as_by_convention() {
    assert_message::<Correlated>("09-correlation", 1);
    assert_message::<WithCorrelationProperty>("09-correlation", 2);
    assert_message::<WithCommandId>("09-correlation", 5);
    assert_message::<WithEventId>("09-correlation", 6);
}

#[test]
fn an_exchange_type_is_the_one_of_the_address() {
    assert_message::<DirectRouted>("11-direct", 1);
    let address = captured("11-direct", 1).envelope["destinationAddress"].as_str().unwrap().to_owned();
    let (_, exchange_type) = address.split_once("?type=").unwrap();
    assert_eq!(DirectRouted::message_type().topic_kind().as_str(), exchange_type);
}

#[test]
fn a_fault_fulfils_the_faults_of_the_contracts() {
    assert_names::<Fault<LeafEvent>>("33-fault-derived", 2);
    assert_names::<Fault<OrderSubmitted>>("32-fault-interface", 2);

    // The types that the failed message had.
    for (message_type, scenario) in
        [(OrderSubmittedV2::message_type(), "32-fault-interface"), (LeafEvent::message_type(), "33-fault-derived")]
    {
        let types: Vec<String> =
            serde_json::from_value(captured(scenario, 2).envelope["message"]["faultMessageTypes"].clone()).unwrap();
        assert_eq!(message_type.urns(), types);
    }
}

//! The messages of the capture, as far as their names, contracts and topics go; nothing looks at their fields.

use bus_core::{Message, MessageType, message::intern, topology::TopicKind};
use serde::{Deserialize, Serialize};

macro_rules! contract {
    ($name:ident, $message_type:expr) => {
        #[derive(Serialize, Deserialize)]
        pub(crate) struct $name {}

        impl Message for $name {
            fn message_type() -> &'static MessageType {
                intern::<Self>(|| $message_type)
            }
        }
    };
}

fn shop(name: &'static str) -> MessageType {
    MessageType::new("Shop.Contracts", name)
}

contract!(SubmitOrder, shop("SubmitOrder"));
contract!(OrderEvent, shop("OrderEvent"));
contract!(OrderAudited, shop("OrderAudited"));
contract!(
    OrderSubmitted,
    shop("OrderSubmitted").implementing([OrderEvent::message_type(), OrderAudited::message_type()])
);
contract!(OrderSubmittedV2, shop("OrderSubmittedV2").implementing([OrderSubmitted::message_type()]));
contract!(Inner, shop("Outer+Inner"));
contract!(Line, shop("Line"));
contract!(WrappedLine, MessageType::generic("Shop.Contracts", "Wrapped", vec![Line::message_type()]));
contract!(WrappedInner, MessageType::generic("Shop.Contracts", "Wrapped", vec![Inner::message_type()]));
contract!(
    Pair,
    MessageType::generic("Shop.Contracts", "Pair", vec![Line::message_type(), WrappedInner::message_type()])
);
contract!(AllTypes, shop("AllTypes"));
contract!(Boom, shop("Boom"));
contract!(Flaky, shop("Flaky"));
contract!(Unwanted, shop("Unwanted"));
contract!(Reminder, shop("Reminder"));
contract!(Sample, shop("Sample"));
contract!(RenamedEntity, shop("RenamedEntity").with_entity_name("renamed-orders"));
contract!(RenamedUrn, shop("RenamedUrn").with_uri("scheme:renamed-urn"));
contract!(ShortUrn, shop("ShortUrn").with_urn("short-name"));
contract!(HiddenBase, shop("HiddenBase").outside_topology());
contract!(OverHidden, shop("OverHidden").implementing([HiddenBase::message_type()]));
contract!(BaseEvent, shop("BaseEvent"));
contract!(MiddleEvent, shop("MiddleEvent").implementing([BaseEvent::message_type()]));
contract!(LeafEvent, shop("LeafEvent").implementing([MiddleEvent::message_type()]));
contract!(Correlated, shop("Correlated"));
contract!(WithCorrelationProperty, shop("WithCorrelationProperty"));
contract!(WithCommandId, shop("WithCommandId"));
contract!(WithEventId, shop("WithEventId"));
contract!(DirectRouted, shop("DirectRouted").with_topic_kind(TopicKind::Direct));
// The second capture published the same type to a topic exchange.
contract!(TopicRouted, shop("DirectRouted").with_topic_kind(TopicKind::Topic));

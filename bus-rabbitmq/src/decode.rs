use std::sync::Arc;

use bus_core::{
    envelope::{HeaderValue, Headers},
    transport::{DeadLetter, Delivery, Unsettled},
};
use bytes::Bytes;
use lapin::{message, types::ShortString};

use crate::{NativeProperties, headers::from_table};

/// The header in which quorum queues count.
const COUNT: &str = "x-delivery-count";

/// A delivery as core knows it.
pub(crate) fn delivery(from: message::Delivery, unsettled: Unsettled) -> Delivery {
    let message::Delivery { properties, data, redelivered, routing_key, .. } = from;
    let mut delivery = Delivery::new(Bytes::from(data), unsettled);
    delivery.headers = properties.headers().as_ref().map(from_table).unwrap_or_default();
    delivery.content_type = shared(properties.content_type());
    delivery.message_id = shared(properties.message_id());
    delivery.correlation_id = shared(properties.correlation_id());
    delivery.routing_key = (!routing_key.as_str().is_empty()).then(|| routing_key.as_str().into());
    delivery.priority = *properties.priority();
    delivery.durable = *properties.delivery_mode() == Some(2);
    delivery.redelivered = redelivered;
    delivery.broker_deliveries = delivery_count(&delivery.headers);
    if let Some(native) = NativeProperties::of(&properties) {
        delivery.extensions.insert(native);
    }
    delivery
}

/// A message that was only looked at.
pub(crate) fn dead_letter(queue: &str, from: message::Delivery) -> DeadLetter {
    let message_id = from.properties.message_id().as_ref().map(|id| id.as_str().to_owned());
    let headers = from.properties.headers().as_ref().map(from_table).unwrap_or_default();
    DeadLetter::new(queue.to_owned(), message_id, Bytes::from(from.data), headers)
}

/// How often the broker delivered it before, where it counts.
pub(crate) fn delivery_count(headers: &Headers) -> Option<u32> {
    let count = match headers.get(COUNT)? {
        HeaderValue::Int8(count) => i64::from(*count),
        HeaderValue::Int16(count) => i64::from(*count),
        HeaderValue::Int32(count) => i64::from(*count),
        HeaderValue::Int64(count) => *count,
        HeaderValue::UInt8(count) => i64::from(*count),
        HeaderValue::UInt16(count) => i64::from(*count),
        HeaderValue::UInt32(count) => i64::from(*count),
        _ => return None,
    };
    u32::try_from(count).ok()
}

fn shared(text: &Option<ShortString>) -> Option<Arc<str>> {
    text.as_ref().map(|text| text.as_str().into())
}

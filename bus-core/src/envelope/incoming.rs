use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Envelope, Headers};
use crate::{Message, consumer::DecodeError, endpoint::REDELIVERIES, transport::Delivery};

/// A message that arrived, with its envelope parsed; shared by the consumers and attempts on it.
#[non_exhaustive]
pub struct Incoming {
    /// The envelope.
    pub envelope: Envelope,
    /// The body, byte for byte as it arrived.
    pub body: Bytes,
    /// The media type, if the sender said one.
    pub content_type: Option<Arc<str>>,
    /// The transport's headers, which are not the envelope's.
    pub transport_headers: Headers,
    /// The priority that its sender gave it.
    pub priority: Option<u8>,
    /// It was delivered before and not settled.
    pub redelivered: bool,
    headers: OnceLock<Map<String, Value>>,
}

impl Incoming {
    pub(crate) fn new(envelope: Envelope, delivery: &Delivery, is_copy: bool) -> Self {
        Self {
            envelope,
            body: delivery.body.clone(),
            content_type: delivery.content_type.clone(),
            transport_headers: delivery.headers.clone(),
            priority: delivery.priority,
            // The copy of one that came again is new to the broker only.
            redelivered: delivery.redelivered || is_copy,
            headers: OnceLock::new(),
        }
    }

    /// The payload as another type, such as a contract that it fulfils.
    ///
    /// # Errors
    /// [`DecodeError`] if the payload does not fit the type.
    pub fn message_as<M: Message>(&self) -> Result<M, DecodeError> {
        crate::codec::decode(&self.envelope.message).map_err(DecodeError::of::<M>)
    }

    /// How many rounds of redelivery it made.
    pub(crate) fn redeliveries(&self) -> u32 {
        let count = self.header(REDELIVERIES);
        let count = count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.trim().parse().ok()));
        count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// A header of the envelope, without regard to case.
    pub fn header(&self, name: &str) -> Option<&Value> {
        let headers = self.headers();
        headers.get(name).or_else(|| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v))
    }

    /// The envelope's headers; parsed when first asked for.
    pub fn headers(&self) -> &Map<String, Value> {
        self.headers.get_or_init(|| self.envelope.headers())
    }
}

impl fmt::Debug for Incoming {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("envelope", &self.envelope)
            .field("bytes", &self.body.len())
            .field("content_type", &self.content_type)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}

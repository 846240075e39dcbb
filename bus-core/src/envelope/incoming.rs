use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Envelope, Headers};

/// A message that arrived, with its envelope parsed; shared by the consumers and attempts on it.
#[derive(Debug)]
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
    /// It was delivered before and not settled.
    pub redelivered: bool,
    headers: OnceLock<Map<String, Value>>,
}

impl Incoming {
    pub(crate) fn new(
        envelope: Envelope,
        body: Bytes,
        content_type: Option<Arc<str>>,
        transport_headers: Headers,
        redelivered: bool,
    ) -> Self {
        Self { envelope, body, content_type, transport_headers, redelivered, headers: OnceLock::new() }
    }

    /// The envelope's headers; parsed when first asked for.
    pub fn headers(&self) -> &Map<String, Value> {
        self.headers.get_or_init(|| self.envelope.headers())
    }
}

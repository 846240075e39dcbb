use bytes::Bytes;

use crate::envelope::Headers;

/// A message that lies in a queue, as it was found there: see [`DeadLetters`](crate::bus::DeadLetters).
///
/// ```
/// use bus_core::{envelope::Envelope, transport::DeadLetter};
///
/// /// The payload, as JSON.
/// fn payload(letter: &DeadLetter) -> Option<String> {
///     let envelope = Envelope::read(&letter.body).ok()?;
///     Some(String::from_utf8_lossy(&envelope.message).into_owned())
/// }
/// # let _ = payload;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The queue it lies in: `orders_error`.
    pub queue: String,
    /// The transport's message id.
    pub message_id: Option<String>,
    /// The body, byte for byte.
    pub body: Bytes,
    /// The transport's headers, the reason among them.
    pub headers: Headers,
}

impl DeadLetter {
    /// For transports.
    #[must_use]
    pub fn new(queue: String, message_id: Option<String>, body: Bytes, headers: Headers) -> Self {
        Self { queue, message_id, body, headers }
    }

    /// Why it lies here: `fault` (a consumer failed) or `dead-letter` (nobody here consumes its type).
    /// MassTransit's header `MT-Reason`.
    pub fn reason(&self) -> Option<&str> {
        self.headers.text("MT-Reason")
    }

    /// What the last failure said: `MT-Fault-Message`.
    pub fn fault_message(&self) -> Option<&str> {
        self.headers.text("MT-Fault-Message")
    }

    /// The type of the error: `MT-Fault-ExceptionType`.
    pub fn fault_type(&self) -> Option<&str> {
        self.headers.text("MT-Fault-ExceptionType")
    }

    /// Which consumer failed: `MT-Fault-ConsumerType`.
    pub fn consumer(&self) -> Option<&str> {
        self.headers.text("MT-Fault-ConsumerType")
    }
}

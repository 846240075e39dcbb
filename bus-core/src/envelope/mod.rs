//! What is around a message: ids, addresses, headers, host, in MassTransit's JSON envelope.

pub(crate) mod date;
mod depth;
mod headers;
mod host;
mod incoming;
mod member;
mod read;
mod write;

pub(crate) use depth::{DEPTH, is_deep};
pub use headers::{HeaderValue, Headers};
pub use host::Host;
pub use incoming::Incoming;
pub use read::{Envelope, EnvelopeError};
pub use write::CONTENT_TYPE;
pub(crate) use write::Envelop;

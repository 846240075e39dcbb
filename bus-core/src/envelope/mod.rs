//! What is around a message: ids, addresses, headers, host.

mod headers;

pub use headers::{HeaderValue, Headers};

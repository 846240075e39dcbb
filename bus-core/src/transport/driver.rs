use std::{fmt::Debug, sync::Arc};

use super::{Extensions, Transport, TransportError};
use crate::clock::Clock;

/// A transport crate's entry: which URLs it takes, and how it opens one.
pub trait Driver: Debug + Send + Sync + 'static {
    /// What people call it: `RabbitMQ`.
    fn name(&self) -> &'static str;

    /// The URL schemes it takes, lower case, without `://`.
    fn schemes(&self) -> &'static [&'static str];

    /// Reads the URL and makes the transport. No I/O.
    ///
    /// # Errors
    /// [`TransportError::Url`], which says what is wrong with it, without credentials.
    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError>;
}

/// What a transport is given from the bus around it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Environment {
    /// The time to go by.
    pub clock: Clock,
    /// What only one transport knows, from [`Builder::with`](crate::Builder::with).
    pub options: Extensions,
}

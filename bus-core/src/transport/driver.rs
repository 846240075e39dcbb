use std::{fmt::Debug, sync::Arc};

use super::{Extensions, Transport, TransportError};
use crate::clock::Clock;
#[cfg(feature = "config")]
use crate::configuration::{Options, OptionsError};

/// A transport crate's entry: which URLs it takes, and how it opens one.
pub trait Driver: Debug + Send + Sync + 'static {
    /// What people call it: `RabbitMQ`.
    fn name(&self) -> &'static str;

    /// The URL schemes it takes, lower case, without `://`.
    fn schemes(&self) -> &'static [&'static str];

    /// A URL that always opens. If the program's own URL is wrong, `build()` checks the endpoints by the rules of this
    /// one, so that it tells all mistakes at once; nothing connects to it. The default is none: rules that hold for
    /// most brokers.
    fn sample_url(&self) -> Option<&'static str> {
        None
    }

    /// Reads the URL and makes the transport. No I/O.
    ///
    /// # Errors
    /// [`TransportError::Url`], which says what is wrong with it, without credentials.
    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError>;

    /// With the feature `config`: the name of its table among the settings of an endpoint, such as `rabbitmq`. The
    /// default is none.
    #[cfg(feature = "config")]
    fn table(&self) -> Option<&'static str> {
        None
    }

    /// With the feature `config`: puts what its table says over an endpoint's options, which may be there, and may
    /// not. A table is handed over key by key, those that count more later, and for other transports' URLs too.
    ///
    /// # Errors
    /// What [`Options::read`] said.
    #[cfg(feature = "config")]
    fn endpoint_options(&self, _table: &Options<'_>, _options: &mut Extensions) -> Result<(), OptionsError> {
        Ok(())
    }
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

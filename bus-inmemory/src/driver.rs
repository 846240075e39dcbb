use std::sync::Arc;

use bus_core::transport::{Driver, Environment, Transport, TransportError};
#[cfg(feature = "config")]
use bus_core::{
    configuration::{Options, OptionsError},
    transport::Extensions,
};

#[cfg(feature = "config")]
use crate::endpoint;
use crate::{address::SCHEME, broker::registry, transport::MemoryTransport, url};

/// The driver of `memory://NAME`, and `memory://NAME?seed=42`.
pub static DRIVER: MemoryDriver = MemoryDriver(());

/// Opens [brokers in this process](crate). There is one: [`DRIVER`].
#[derive(Debug)]
pub struct MemoryDriver(());

impl Driver for MemoryDriver {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &[SCHEME]
    }

    fn sample_url(&self) -> Option<&'static str> {
        Some("memory://sample")
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        let broker = url::parse(url).and_then(|url| registry::broker(url.name, url.seed));
        let broker = broker.map_err(|reason| TransportError::Url { reason })?;
        Ok(Arc::new(MemoryTransport::new(broker, environment.clock)))
    }

    #[cfg(feature = "config")]
    fn table(&self) -> Option<&'static str> {
        Some("memory")
    }

    #[cfg(feature = "config")]
    fn endpoint_options(&self, table: &Options<'_>, options: &mut Extensions) -> Result<(), OptionsError> {
        endpoint::configure(table, options)
    }
}

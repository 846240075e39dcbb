use std::sync::Arc;

use bus_core::transport::{Driver, Environment, Transport, TransportError};
#[cfg(feature = "config")]
use bus_core::{
    configuration::{Options, OptionsError},
    transport::Extensions,
};

#[cfg(feature = "config")]
use crate::endpoint;
use crate::{
    settings::{SCHEMES, Settings},
    transport::RabbitTransport,
};

/// Opens RabbitMQ URLs:
/// `amqp://user:password@host:5672/virtual-host?heartbeat=10&connection_name=orders`.
///
/// `amqps://` uses TLS; `rabbitmq://` and `rabbitmqs://` mean the same as those. Defaults: port 5672 (TLS 5671),
/// virtual host `/`, user and password `guest`, heartbeat 10 seconds.
///
/// Without TLS, each connection that receives is preceded by a short one that reads the server's version and
/// leaves without logging in; the broker's log says of it `client unexpectedly closed TCP connection`.
#[derive(Debug, Clone, Copy)]
pub struct RabbitMq;

/// The driver, as a static for tables of drivers.
pub static DRIVER: RabbitMq = RabbitMq;

impl Driver for RabbitMq {
    fn name(&self) -> &'static str {
        "RabbitMQ"
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(RabbitTransport::new(Settings::read(url)?, environment.clock)?))
    }

    #[cfg(feature = "config")]
    fn table(&self) -> Option<&'static str> {
        Some("rabbitmq")
    }

    #[cfg(feature = "config")]
    fn endpoint_options(&self, table: &Options<'_>, options: &mut Extensions) -> Result<(), OptionsError> {
        endpoint::configure(table, options)
    }
}

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
    CredentialsCallback,
    credentials::Identity,
    settings::{SCHEMES, Settings},
    transport::RabbitTransport,
};

/// Opens RabbitMQ URLs:
/// `amqp://user:password@host:5672/virtual-host?heartbeat=10&connection_name=orders`.
///
/// `amqps://` uses TLS; `rabbitmq://` and `rabbitmqs://` mean the same as those. Defaults: port 5672 (TLS 5671),
/// virtual host `/`, user and password `guest`, heartbeat 10 seconds. What is no plain character in a user, a
/// password or a virtual host is percent-encoded (`%2F` for a slash); IPv6 hosts have brackets.
///
/// # Several hosts
///
/// The nodes of a cluster are separated by commas, each with its own port: `amqp://user:password@a,b:5673/shop`
/// (MassTransit's `UseCluster`). Each connection begins with one of them at random, so that programs that start
/// together spread over the nodes, and goes to the next one in turn whenever it is lost or an attempt fails; an
/// attempt may take 5 s, with a single host 10 s. Each host is tried again by itself, after 50 ms, and twice as long
/// each time up to 1 s; one that refuses the credentials, after 10 s. Until one of them took the credentials, a
/// refusal counts as soon as all hosts have been tried. Addresses name the first host, whichever the connection
/// goes to: keep it first.
///
/// Credentials that change come from [`credentials`](crate::credentials).
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

    fn sample_url(&self) -> Option<&'static str> {
        Some("amqp://localhost")
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        let settings = Settings::read(url)?;
        let callback = environment.options.get::<CredentialsCallback>().cloned();
        let identity = Identity::new(settings.credentials.clone(), callback);
        Ok(Arc::new(RabbitTransport::new(settings, identity, environment.clock)?))
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

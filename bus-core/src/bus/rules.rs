use std::sync::Arc;

use crate::{
    address::{Address, AddressError, Destination, without_parameters},
    naming::check_entity_name,
    transport::{Driver, Environment, ReceiverSettings, Transport},
};

/// What the broker takes. If the URL is wrong, as much as is known without it: one mistake must not hide others.
pub(super) struct Rules(Option<Arc<dyn Transport>>);

impl Rules {
    /// Those of the transport; without one, of another URL of the driver that was meant.
    pub(super) fn new(
        transport: Option<&Arc<dyn Transport>>,
        driver: Option<&'static dyn Driver>,
        environment: Environment,
    ) -> Self {
        let sample = || driver.and_then(|driver| driver.open(driver.sample_url()?, environment).ok());
        Self(transport.cloned().or_else(sample))
    }

    pub(super) fn transport(&self) -> Option<&dyn Transport> {
        self.0.as_deref()
    }

    /// Nobody knows what kind of broker it is to be: what RabbitMQ takes, others do, too.
    pub(super) fn check_name(&self, name: &str) -> Result<(), String> {
        self.transport().map_or_else(|| check_entity_name(name), |transport| transport.check_name(name))
    }

    pub(super) fn check_routing_key(&self, key: &str) -> Result<(), String> {
        self.transport().map_or(Ok(()), |transport| transport.check_routing_key(key))
    }

    pub(super) fn check_endpoint(&self, settings: &ReceiverSettings) -> Vec<String> {
        self.transport().map(|transport| transport.check_endpoint(settings)).unwrap_or_default()
    }

    /// Whether bindings may look at routing keys.
    pub(super) fn routing_keys(&self) -> bool {
        self.transport().is_none_or(|transport| transport.capabilities().routing_keys)
    }

    /// `None` if that is not known without a broker.
    pub(super) fn resolve(&self, address: &Address) -> Result<Option<Destination>, AddressError> {
        if let Some(transport) = self.transport() {
            return transport.resolve(address).map(Some);
        }
        let destination = match address {
            Address::Queue(name) => Destination::Queue(without_parameters(name).into()),
            Address::Exchange(name) | Address::Topic(name) => Destination::Topic(without_parameters(name).into()),
            Address::Absolute(_) => return Ok(None),
        };
        check_entity_name(destination.name()).map_err(|reason| AddressError::new(&address.to_string(), reason))?;
        Ok(Some(destination))
    }
}

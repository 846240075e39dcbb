use bus_core::address::{Address, AddressError, Destination, without_parameters};

pub(super) const SCHEME: &str = "log";
/// The only URL there is.
pub(crate) const URL: &str = "log://broker";

pub(super) fn absolute(destination: &Destination) -> String {
    match destination {
        Destination::Queue(name) => format!("{URL}/queue/{name}"),
        Destination::Topic(name) => format!("{URL}/topic/{name}"),
    }
}

pub(super) fn resolve(address: &Address) -> Result<Destination, AddressError> {
    let unknown = || AddressError::new(&address.to_string(), format!("write `{URL}/queue/NAME` or `{URL}/topic/NAME`"));
    match address {
        Address::Queue(name) => Ok(Destination::Queue(without_parameters(name).into())),
        Address::Exchange(name) | Address::Topic(name) => Ok(Destination::Topic(without_parameters(name).into())),
        Address::Absolute(uri) => {
            let path = without_parameters(uri).strip_prefix(URL).and_then(|path| path.strip_prefix('/'));
            match path.and_then(|path| path.split_once('/')) {
                Some(("queue", name)) => Ok(Destination::Queue(name.into())),
                Some(("topic", name)) => Ok(Destination::Topic(name.into())),
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

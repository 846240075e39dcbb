use std::sync::Arc;

use bus_core::{
    address::{Address, AddressError, Destination, without_parameters},
    naming::check_entity_name,
};
use uuid::Uuid;

/// The scheme of the broker's URL and of absolute addresses.
pub(crate) const SCHEME: &str = "memory";

/// The queue's parameter in an absolute address, as MassTransit writes it: the queue itself is meant.
const BIND: &str = "bind=true";

/// What an address names. Of an absolute one only the entity counts: the broker is always the own one.
pub(crate) fn resolve(address: &Address) -> Result<Destination, AddressError> {
    let named = |text: &str| {
        let entity = without_parameters(text);
        match check_entity_name(entity) {
            Ok(()) => Ok(Arc::<str>::from(entity)),
            Err(reason) => Err(AddressError::new(&address.to_string(), reason)),
        }
    };
    match address {
        Address::Queue(queue) => named(queue).map(Destination::Queue),
        Address::Exchange(topic) | Address::Topic(topic) => named(topic).map(Destination::Topic),
        Address::Absolute(uri) => {
            let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
            let entity = path
                .split_once("://")
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
                .and_then(|(_, rest)| rest.rsplit_once('/'))
                .map(|(_, entity)| entity)
                .ok_or_else(|| AddressError::new(uri, "a broker in memory has `memory://NAME/ENTITY`"))?;
            let is_queue = query.split('&').any(|pair| pair.eq_ignore_ascii_case(BIND));
            named(entity).map(if is_queue { Destination::Queue } else { Destination::Topic })
        }
        other => Err(AddressError::new(&other.to_string(), "a broker in memory knows no such address")),
    }
}

/// The address of an entity as it travels in envelopes.
pub(crate) fn absolute(broker: &str, destination: &Destination) -> String {
    match destination {
        Destination::Queue(queue) => format!("{SCHEME}://{broker}/{queue}?{BIND}"),
        Destination::Topic(topic) => format!("{SCHEME}://{broker}/{topic}"),
    }
}

/// The address under which this process sends, another one at each call.
pub(crate) fn source(broker: &str) -> String {
    /// More of a long program name tells nobody anything.
    const PROCESS: usize = 40;
    let program = std::env::current_exe().ok();
    let program = program.as_ref().and_then(|path| path.file_stem()).unwrap_or_default().to_string_lossy();
    let process: String = program.chars().filter(char::is_ascii_alphanumeric).take(PROCESS).collect();
    format!("{SCHEME}://{broker}/{process}_bus_{}?temporary=true", Uuid::now_v7().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_queue_or_an_exchange_of_the_own_broker() {
        let check = |text: &str, expected: &str| {
            let address = text.parse().unwrap();
            let shown = resolve(&address).map_or_else(|error| error.to_string(), |found| found.to_string());
            assert_eq!(shown, expected);
        };
        check("queue:orders", "queue:orders");
        check("queue:orders?bind=true", "queue:orders");
        check("exchange:orders", "topic:orders");
        check("topic:Acme.Orders:Placed", "topic:Acme.Orders:Placed");
        check("memory://shop/orders", "topic:orders");
        check("memory://other/orders?bind=true", "queue:orders");
        check("MEMORY://shop/x/orders?temporary=true", "topic:orders");
        check(
            "queue:my orders",
            "`queue:my orders` is no address here: it has ` `; letters, digits, `-`, `_`, `.` and \
             `:` are possible",
        );
        check("memory://shop/", "`memory://shop/` is no address here: it is empty");
        check("memory://shop", "`memory://shop` is no address here: a broker in memory has `memory://NAME/ENTITY`");
        check(
            "amqp://u:p@host/orders",
            "`amqp://host/orders` is no address here: a broker in memory has `memory://NAME/ENTITY`",
        );
    }

    #[test]
    fn an_absolute_address_leads_back_to_its_entity() {
        for destination in [Destination::Queue("orders".into()), Destination::Topic("Acme:Placed".into())] {
            let address: Address = absolute("shop", &destination).parse().unwrap();
            assert_eq!(resolve(&address).unwrap(), destination);
        }
        assert_eq!(absolute("shop", &Destination::Queue("orders".into())), "memory://shop/orders?bind=true");
    }

    #[test]
    fn every_source_address_is_another_entity_that_can_be_sent_to() {
        let one = source("shop");
        assert!(one.starts_with("memory://shop/") && one.ends_with("?temporary=true"), "{one}");
        assert!(one.contains("_bus_"), "{one}");
        assert!(resolve(&one.parse().unwrap()).is_ok(), "{one}");
        assert_ne!(one, source("shop"));
    }
}

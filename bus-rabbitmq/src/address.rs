use bus_core::{
    address::{Address, AddressError, Destination, without_parameters},
    naming::check_entity_name,
};
use percent_encoding::percent_decode_str;

use crate::{
    EndpointOptions,
    endpoint::{Lifetime, named_for},
    settings::SCHEMES,
};

/// AMQP's short strings hold no more bytes.
pub(crate) const SHORT: usize = 255;

/// The exchange or queue that an address names here.
pub(crate) fn resolve(address: &Address) -> Result<Destination, AddressError> {
    let destination = match address {
        Address::Queue(name) => Destination::Queue(without_parameters(name).into()),
        Address::Exchange(name) | Address::Topic(name) => Destination::Topic(without_parameters(name).into()),
        Address::Absolute(uri) => return absolute_to_destination(uri),
        other => return Err(AddressError::new(&other.to_string(), "RabbitMQ has queues and exchanges")),
    };
    check_entity_name(destination.name()).map_err(|reason| AddressError::new(&address.to_string(), reason))?;
    Ok(destination)
}

fn absolute_to_destination(uri: &str) -> Result<Destination, AddressError> {
    let refuse = |reason: &str| Err(AddressError::new(uri, reason));
    let Some((scheme, rest)) = uri.split_once("://") else {
        return refuse("it has no scheme");
    };
    if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return refuse("it belongs to another broker; RabbitMQ's begin with rabbitmq:// or amqp://");
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Host and virtual host of a foreign address do not count, and Url would not keep `a::b--c` as written.
    let entity = match rest.rsplit_once('/') {
        Some((_, entity)) if !entity.is_empty() => entity,
        _ => return refuse("the entity's name is missing: write rabbitmq://host/virtual-host/name"),
    };
    let Ok(name) = percent_decode_str(entity).decode_utf8() else {
        return refuse("the entity's name is not UTF-8 after percent-decoding");
    };
    if let Err(reason) = check_entity_name(&name) {
        return refuse(&reason);
    }
    let parameter = |wanted: &str| {
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let set = |wanted: &str| parameter(wanted).is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
    // A requester's own queue goes with him. Sent to as an exchange it would be declared again after he is
    // gone, and the reply would count as delivered.
    if !(set("bind") || set("temporary") || set("autodelete")) {
        return Ok(Destination::Topic(name.into()));
    }
    match parameter("queue").map(|(_, queue)| percent_decode_str(queue).decode_utf8()) {
        Some(Ok(queue)) if check_entity_name(&queue).is_ok() => Ok(Destination::Queue(queue.into())),
        Some(_) => refuse("its `queue=` is no name of a queue"),
        None => Ok(Destination::Queue(name.into())),
    }
}

/// The exchange of an address that says it has other properties than those that a sender would declare it with.
/// Whoever owns it declares it; declared first by a sender, the owner's declaration would be refused.
pub(crate) fn made_by_its_owner(address: &Address) -> bool {
    let Address::Absolute(uri) = address else { return false };
    let Some((_, query)) = uri.split_once('?') else { return false };
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
        match name.as_str() {
            "type" => value != "fanout",
            "durable" => value == "false",
            "autodelete" => value == "true",
            "delayedtype" => true,
            _ => false,
        }
    })
}

/// The absolute address of an entity behind `host`, as .NET peers read it.
pub(crate) fn absolute(host: &str, destination: &Destination) -> String {
    match destination {
        Destination::Queue(name) => format!("{host}/{name}?bind=true"),
        Destination::Topic(name) => format!("{host}/{name}"),
    }
}

/// The address of an endpoint: that of its exchange, as a .NET peer would declare it to send there.
pub(crate) fn input_address(host: &str, queue: &str, options: Option<&EndpointOptions>) -> String {
    match options {
        // What .NET writes for a queue and exchange that are not durable and go by themselves.
        Some(options) if options.lifetime != Lifetime::Durable => format!("{host}/{queue}?temporary=true"),
        Some(options) if options.auto_delete_exchange => format!("{host}/{queue}?autodelete=true"),
        _ => format!("{host}/{queue}"),
    }
}

/// The address under which this process sends: MassTransit's name of a bus endpoint.
pub(crate) fn source_address(host: &str) -> String {
    format!("{host}/{}?temporary=true", named_for("bus"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint;

    #[test]
    fn addresses_name_queues_and_exchanges() {
        let check = |text: &str, expected: &str| {
            let shown = text.parse().map_err(|e: AddressError| e).and_then(|address| resolve(&address));
            assert_eq!(shown.map_or_else(|e| e.to_string(), |d| d.to_string()), expected);
        };
        check("queue:orders", "queue:orders");
        check("exchange:Acme:SubmitOrder", "topic:Acme:SubmitOrder");
        check("topic:Acme:SubmitOrder", "topic:Acme:SubmitOrder");
        check("rabbitmq://other:5673/v%2Fh/orders?bind=true", "queue:orders");
        check("rabbitmq://u:p@h/orders", "topic:orders");
        check("AMQPS://h/v/Ns:Pair--Left::Right--", "topic:Ns:Pair--Left::Right--");
        check("rabbitmq://h/x?bind=true&queue=y", "queue:y");
        check("rabbitmq://h/vm_mtpeer_bus_x?temporary=true", "queue:vm_mtpeer_bus_x");
        check("rabbitmq://h/x?durable=true&type=topic", "topic:x");
        check("rabbitmq://h/%C3%BCber", "topic:über");
        check(
            "rabbitmq://u:p@h/",
            "`rabbitmq://h/` is no address here: the entity's name is missing: write rabbitmq://host/virtual-host/name",
        );
        check(
            "sb://h/q",
            "`sb://h/q` is no address here: it belongs to another broker; RabbitMQ's begin with rabbitmq:// or amqp://",
        );
        check(
            "queue:a b",
            "`queue:a b` is no address here: it has ` `; letters, digits, `-`, `_`, `.` and `:` are possible",
        );
    }

    #[test]
    fn exchanges_with_properties_of_their_own_are_left_to_their_owner() {
        let owned = |text: &str| made_by_its_owner(&text.parse().unwrap());
        for text in ["x?type=topic", "x?Durable=False", "x?durable=true&delayedtype=fanout", "x?autodelete=true"] {
            assert!(owned(&format!("rabbitmq://h/{text}")), "{text}");
        }
        for text in ["rabbitmq://h/x", "rabbitmq://h/x?type=fanout&durable=true", "exchange:x"] {
            assert!(!owned(text), "{text}");
        }
    }

    #[test]
    fn absolute_addresses_are_read_back_as_the_entity_they_name() {
        for destination in [Destination::Queue("orders".into()), Destination::Topic("Acme:SubmitOrder".into())] {
            let text = absolute("rabbitmq://h:5673/a%2Fb", &destination);
            assert_eq!(resolve(&text.parse().unwrap()), Ok(destination), "{text}");
        }
    }

    #[test]
    fn the_address_of_this_process_is_another_each_time() {
        let one = source_address("rabbitmq://h");
        assert!(one.starts_with("rabbitmq://h/") && one.ends_with("?temporary=true"), "{one}");
        assert_ne!(one, source_address("rabbitmq://h"));
    }

    #[test]
    fn the_address_of_an_endpoint_says_how_its_exchange_is_declared() {
        let check = |options: Option<EndpointOptions>, expected: &str| {
            assert_eq!(input_address("rabbitmq://h", "q", options.as_ref()), expected);
        };
        check(None, "rabbitmq://h/q");
        check(Some(endpoint().quorum()), "rabbitmq://h/q");
        check(Some(endpoint().temporary()), "rabbitmq://h/q?temporary=true");
        check(Some(endpoint().expiring_temporary()), "rabbitmq://h/q?temporary=true");
        check(Some(endpoint().auto_delete_exchange()), "rabbitmq://h/q?autodelete=true");
    }
}

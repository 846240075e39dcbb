use std::{env, fs};

/// A name for an endpoint of this process alone, another one at each call: MassTransit's
/// `machine_process_endpoint_4ymyyyf4e8gbg9dzbdxwqy8mn4`. For endpoints that are
/// [`expiring_temporary`](crate::EndpointOptions::expiring_temporary). At most 72 characters.
///
/// ```
/// use bus_core::{Builder, bus::Catalog, consumer::Failure};
/// # use bus_core::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme", crate = bus_core)]
/// # struct PricesChanged {}
///
/// // Every process hears of every change, as long as it lives.
/// let builder = Builder::new("amqp://localhost", Catalog::default()).endpoint(bus_rabbitmq::generated_name(), |e| {
///     e.consumer(|_: PricesChanged| async { Ok::<_, Failure>(()) })
///         .with(bus_rabbitmq::endpoint().expiring_temporary())
/// });
/// ```
#[must_use]
pub fn generated_name() -> String {
    named_for("endpoint")
}

/// The same for another purpose.
pub(crate) fn named_for(tag: &str) -> String {
    let machine = env::var("HOSTNAME").ok().or_else(|| fs::read_to_string("/etc/hostname").ok()).unwrap_or_default();
    let process = env::current_exe().ok().and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    name(&machine, &process.unwrap_or_default(), tag, uuid::Uuid::new_v4().as_u128())
}

/// The whole name is at most 72 characters: 29 for what is fixed, a third of the rest for each part.
fn name(machine: &str, process: &str, tag: &str, id: u128) -> String {
    const PART: usize = (72 - 29) / 3;
    let part = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).take(PART).collect::<String>();
    format!("{}_{}_{}_{}", part(machine), part(process), part(tag), z_base_32(id))
}

/// 26 characters for 128 bits, the highest bits first.
fn z_base_32(id: u128) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    (0..26).rev().map(|digit| char::from(ALPHABET[(id >> (digit * 5) & 31) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use bus_core::naming::check_entity_name;

    use super::*;

    #[test]
    fn generated_names_are_masstransits() {
        assert_eq!(name("vm-1", "mt-peer", "bus", 0), format!("vm1_mtpeer_bus_{}", "y".repeat(26)));
        let long = name(&"m".repeat(99), &"p".repeat(99), &"t".repeat(99), u128::MAX);
        assert!(long.len() <= 72 && check_entity_name(&long).is_ok(), "{long}");
        let one = generated_name();
        assert!(one.contains("_endpoint_"), "{one}");
        assert_ne!(one, generated_name());
    }
}

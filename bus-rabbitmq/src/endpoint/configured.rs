use std::{collections::BTreeMap, fmt};

use bus_core::{
    configuration::{Options, OptionsError, Time},
    envelope::HeaderValue,
    transport::Extensions,
};
use serde::{Deserialize, Deserializer, de};

use super::{EndpointOptions, Lifetime};

/// The table `rabbitmq` of an endpoint; its keys are the names of the options. What the program switched on can be
/// switched off again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    quorum: Option<bool>,
    quorum_group_size: Option<u16>,
    lazy: Option<bool>,
    max_priority: Option<u8>,
    expires: Option<Time>,
    message_ttl: Option<Time>,
    max_length: Option<u32>,
    single_active_consumer: Option<bool>,
    consumer_timeout: Option<Time>,
    dead_letter: Option<DeadLetter>,
    temporary: Option<bool>,
    expiring_temporary: Option<bool>,
    auto_delete_exchange: Option<bool>,
    arguments: Option<BTreeMap<String, Argument>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadLetter {
    exchange: String,
    queue: Option<String>,
}

/// Puts what a configuration says over the options of an endpoint.
pub(crate) fn configure(table: &Options<'_>, options: &mut Extensions) -> Result<(), OptionsError> {
    let said: Written = table.read()?;
    let known = options.get::<EndpointOptions>().cloned().unwrap_or_default();
    options.insert(said.over(known));
    Ok(())
}

impl Written {
    fn over(self, known: EndpointOptions) -> EndpointOptions {
        let switched =
            |known: EndpointOptions, on: Option<bool>, to: fn(EndpointOptions) -> EndpointOptions, argument| match on {
                Some(true) => to(known),
                Some(false) => known.without(argument),
                None => known,
            };
        let known = switched(known, self.quorum, EndpointOptions::quorum, "x-queue-type");
        let known = switched(known, self.lazy, EndpointOptions::lazy, "x-queue-mode");
        let single = EndpointOptions::single_active_consumer;
        let mut known = switched(known, self.single_active_consumer, single, "x-single-active-consumer");
        for (on, lifetime) in [(self.temporary, Lifetime::Temporary), (self.expiring_temporary, Lifetime::Expiring)] {
            known = match (on, lifetime) {
                (Some(true), Lifetime::Expiring) => known.expiring_temporary(),
                (Some(true), _) => known.temporary(),
                (Some(false), Lifetime::Expiring) if known.lifetime == lifetime => known.durable().without("x-expires"),
                (Some(false), _) if known.lifetime == lifetime => known.durable(),
                _ => known,
            };
        }
        known.auto_delete_exchange = self.auto_delete_exchange.unwrap_or(known.auto_delete_exchange);
        known = with(known, self.quorum_group_size, EndpointOptions::quorum_group_size);
        known = with(known, self.max_priority, EndpointOptions::max_priority);
        known = with(known, self.expires, |known, time| known.expires(time.0));
        known = with(known, self.message_ttl, |known, time| known.message_ttl(time.0));
        known = with(known, self.max_length, EndpointOptions::max_length);
        known = with(known, self.consumer_timeout, |known, time| known.consumer_timeout(time.0));
        known = with(known, self.dead_letter, |known, to| match to.queue {
            Some(queue) => known.dead_letter_queue(&to.exchange, &queue),
            None => known.dead_letter_to(&to.exchange),
        });
        let arguments = self.arguments.into_iter().flatten();
        arguments.fold(known, |known, (name, value)| known.argument(name, value.0))
    }
}

fn with<T>(
    known: EndpointOptions,
    said: Option<T>,
    option: impl FnOnce(EndpointOptions, T) -> EndpointOptions,
) -> EndpointOptions {
    match said {
        Some(value) => option(known, value),
        None => known,
    }
}

/// The value of an argument: true or false, a whole number, a text.
struct Argument(HeaderValue);

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl de::Visitor<'_> for Value {
            type Value = Argument;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false, a whole number of 64 bits, or a text")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Argument, E> {
                Ok(Argument(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Argument, E> {
                Ok(Argument(value.into()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Argument, E> {
                match i64::try_from(value) {
                    Ok(value) => self.visit_i64(value),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(value), &self)),
                }
            }
            fn visit_str<E>(self, value: &str) -> Result<Argument, E> {
                Ok(Argument(value.to_owned().into()))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use bus_core::{
        Builder,
        bus::{Catalog, EndpointBuilder},
        configuration::Configuration,
        transport::{Driver, Environment, Transport, TransportError},
    };

    use super::{super::endpoint, *};
    use crate::DRIVER;

    /// Reads tables as the driver does, and opens nothing.
    #[derive(Debug, Default)]
    struct Spy(Mutex<EndpointOptions>);

    impl Driver for Spy {
        fn name(&self) -> &'static str {
            "spy"
        }

        fn schemes(&self) -> &'static [&'static str] {
            &["spy"]
        }

        fn open(&self, _url: &str, _environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
            Err(TransportError::Url { reason: "a spy".to_owned() })
        }

        fn table(&self) -> Option<&'static str> {
            DRIVER.table()
        }

        fn endpoint_options(&self, table: &Options<'_>, options: &mut Extensions) -> Result<(), OptionsError> {
            DRIVER.endpoint_options(table, options)?;
            *self.0.lock().unwrap() = options.get::<EndpointOptions>().cloned().unwrap();
            Ok(())
        }
    }

    /// The options of an endpoint with these, after a configuration was put over them; and what `build()` has
    /// against that.
    fn read(options: EndpointOptions, toml: &str) -> (EndpointOptions, Vec<String>) {
        let spy: &'static Spy = Box::leak(Box::default());
        let problems = Builder::new("spy://", Catalog { drivers: vec![spy], missing: Vec::new() })
            .endpoint("orders", move |e: EndpointBuilder| e.with(options))
            .configuration(Configuration::from_toml(&format!("[endpoints.orders.rabbitmq]\n{toml}")))
            .build()
            .map_err(|error| error.to_string());
        let problems: Vec<_> = problems.unwrap_err().lines().map(str::to_owned).collect();
        let about = problems.into_iter().filter(|problem| problem.contains("TOML:")).collect();
        (spy.0.lock().unwrap().clone(), about)
    }

    #[test]
    fn every_option_can_be_configured() {
        let minute = Duration::from_secs(60);
        for (toml, expected) in [
            ("quorum = true", endpoint().quorum()),
            ("quorum_group_size = 3", endpoint().quorum_group_size(3)),
            ("lazy = true", endpoint().lazy()),
            ("max_priority = 10", endpoint().max_priority(10)),
            ("expires = '1m'", endpoint().expires(minute)),
            ("message_ttl = '1m'", endpoint().message_ttl(minute)),
            ("max_length = 100000", endpoint().max_length(100_000)),
            ("single_active_consumer = true", endpoint().single_active_consumer()),
            ("consumer_timeout = '1m'", endpoint().consumer_timeout(minute)),
            ("dead_letter = { exchange = 'x' }", endpoint().dead_letter_to("x")),
            ("dead_letter = { exchange = 'x', queue = 'q' }", endpoint().dead_letter_queue("x", "q")),
            ("temporary = true", endpoint().temporary()),
            ("expiring_temporary = true", endpoint().expiring_temporary()),
            ("auto_delete_exchange = true", endpoint().auto_delete_exchange()),
            (
                "arguments = { x-a = true, x-b = 2, x-c = 'three' }",
                endpoint().argument("x-a", true).argument("x-b", 2_i64).argument("x-c", "three"),
            ),
        ] {
            assert_eq!(read(endpoint(), toml), (expected, Vec::new()), "{toml}");
        }
    }

    #[test]
    fn what_the_program_switched_on_can_be_switched_off_and_the_rest_stays() {
        for (known, toml) in [
            (endpoint().max_length(5).quorum(), "quorum = false"),
            (endpoint().max_length(5).lazy(), "lazy = false"),
            (endpoint().max_length(5).single_active_consumer(), "single_active_consumer = false"),
            (endpoint().max_length(5).temporary(), "temporary = false"),
            (endpoint().max_length(5).expiring_temporary(), "expiring_temporary = false"),
            (endpoint().max_length(5).auto_delete_exchange(), "auto_delete_exchange = false"),
            (endpoint().max_length(7), "max_length = 5"),
            (endpoint().max_length(5), "temporary = false"),
        ] {
            assert_eq!(read(known, toml), (endpoint().max_length(5), Vec::new()), "{toml}");
        }
        let expiring = endpoint().expiring_temporary();
        assert_eq!(read(expiring.clone(), "temporary = false").0, expiring);
    }

    #[test]
    fn every_mistake_in_the_table_is_told_with_its_place() {
        let (_, problems) = read(endpoint(), "quorm = true\nmax_priority = 256\nexpires = 5\narguments = { x = 1.5 }");
        let expected = [
            "endpoint `orders`: `rabbitmq`: unknown key `quorm`: did you mean `quorum`? --> TOML:2:1",
            "endpoint `orders`: `rabbitmq`: expected a whole number up to 255, found `256` --> TOML:3:16",
            "endpoint `orders`: `rabbitmq`: expected a duration, such as \"200ms\", \"30s\" or \"1h 30m\", found `5` \
             --> TOML:4:11",
            "endpoint `orders`: `rabbitmq`: expected true or false, a whole number of 64 bits, or a text, found `1.5` \
             --> TOML:5:19",
        ];
        let problems: Vec<_> = problems.iter().map(|problem| problem.trim_start_matches("  - ")).collect();
        assert_eq!(problems, expected);
    }
}

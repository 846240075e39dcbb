//! The README and the pages of `docs/`: every program in them compiles, and runs if it can.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../docs/values.md")]
struct Values;

#[doc = include_str!("../docs/messages-and-contracts.md")]
struct MessagesAndContracts;

#[doc = include_str!("../docs/consumers-and-errors.md")]
struct ConsumersAndErrors;

#[cfg(feature = "config")]
#[doc = include_str!("../docs/configuration.md")]
struct ConfigurationPage;

#[doc = include_str!("../docs/testing.md")]
struct Testing;

#[doc = include_str!("../docs/transports.md")]
struct Transports;

#[doc = include_str!("../docs/rabbitmq.md")]
struct RabbitMq;

#[doc = include_str!("../docs/coming-from-lapin.md")]
struct ComingFromLapin;

#[doc = include_str!("../docs/coming-from-masstransit.md")]
struct ComingFromMassTransit;

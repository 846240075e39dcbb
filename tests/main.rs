//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
#[cfg(feature = "config")]
mod configuration;
#[cfg(feature = "testing")]
mod harness;
mod lifecycle;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;

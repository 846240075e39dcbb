//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
#[cfg(feature = "inmemory")]
mod describing;
#[cfg(feature = "inmemory")]
mod from_env;
#[cfg(feature = "testing")]
mod harness;
mod lifecycle;
#[cfg(feature = "inmemory")]
mod mistakes;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;

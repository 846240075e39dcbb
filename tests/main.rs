//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
mod lifecycle;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;

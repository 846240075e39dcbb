//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
#[cfg(feature = "testing")]
mod harness;
mod lifecycle;
mod logs;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod secrets;
mod signals;

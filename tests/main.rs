//! What a program sees of the bus, through the facade. One binary: it links once.

mod bad_input;
#[cfg(all(feature = "discover", feature = "testing"))]
mod discover;
mod fixtures;
#[cfg(feature = "testing")]
mod harness;
mod lifecycle;
mod quickstart;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;

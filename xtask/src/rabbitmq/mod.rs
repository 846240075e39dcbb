//! A private RabbitMQ server for tests: own ports, own data, gone when it is dropped.
//!
//! Everything here blocks and is plain `std`; call it from a blocking thread inside async tests.

mod error;
mod folder;
mod install;
mod management;
mod node;
mod ports;
mod process;
mod ready;
mod server;

pub use error::Error;
pub use install::{install, installed};
pub use management::{AMQP_VARIABLE, API_VARIABLE, Management, VirtualHost};
pub use server::Server;

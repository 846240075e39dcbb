//! RabbitMQ for real, found through `BUS_TEST_AMQP_URL` and `BUS_TEST_RABBITMQ_API`; each test has a virtual host
//! of its own.

#![allow(clippy::disallowed_methods, reason = "deadlines of the machine's time: the broker is real")]

mod access;
mod delays;
mod endpoint;
mod faults;
mod forgotten;
mod frames;
mod full;
mod publish;
mod receive;
mod server;
mod topology;
mod unanswered;

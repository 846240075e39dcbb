//! RabbitMQ for real, found through `BUS_TEST_AMQP_URL` and `BUS_TEST_RABBITMQ_API`; each test has a virtual host
//! of its own.

#![allow(clippy::disallowed_methods, reason = "deadlines of the machine's time: the broker is real")]

mod delays;
mod endpoint;
mod faults;
mod proxy;
mod publish;
mod receive;
mod relay;
mod server;
mod topology;
mod unanswered;

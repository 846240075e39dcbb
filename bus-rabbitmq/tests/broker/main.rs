//! RabbitMQ for real. Needs `BUS_TEST_AMQP_URL` and `BUS_TEST_RABBITMQ_API`; each test has a virtual host.

mod faults;
mod publish;
mod receive;
mod server;
mod topology;

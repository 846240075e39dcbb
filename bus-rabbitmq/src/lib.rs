//! RabbitMQ under the bus: MassTransit topology, confirms, reconnection.

//! The connection's keeper against a broker that plays from a script: what no real one does on request. Needs no
//! RabbitMQ.

#![allow(clippy::disallowed_methods, reason = "deadlines of the machine's time: sockets are real")]

mod connecting;
mod credentials;
mod forgotten;
mod frames;
mod hosts;
mod peer;
mod poison;
mod publishing;
mod restoring;
mod window;

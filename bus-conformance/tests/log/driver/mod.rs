//! The driver of the log: makes of partitions and offsets what the bus asks for.
//!
//! | the bus | the log |
//! |---|---|
//! | a topic | a topic |
//! | a binding | its destination's group reads the source too, from the source's end on |
//! | a queue | a topic that one group reads, the group of that name |
//! | an endpoint | a reader in its queue's group |
//! | a lane | a partition; [`Outgoing::lane`](bus_core::transport::Outgoing::lane) is the key that chooses it |
//! | `Complete` | done; what is done without a gap is committed |
//! | `Release` | the partition is read again from there on: what is not done behind it comes again, in order |
//! | a delivery dropped with its receiver | is not committed, and comes to who gets the partition |
//! | a move | core's: copy, confirm, complete |
//! | a time to live | a header, which the reader looks at |

mod address;
mod progress;
mod publisher;
mod receiver;
mod subscription;
mod transport;

use std::{sync::Arc, time::Duration};

use bus_core::transport::{Driver, Environment, Transport, TransportError};

use crate::broker::Broker;
pub(crate) use address::URL;
use transport::LogTransport;

/// Opens one broker, whatever the rest of the URL is.
#[derive(Debug)]
pub(crate) struct LogDriver(Arc<Broker>);

impl LogDriver {
    /// A broker of its own, and its driver, which is never dropped: a catalog holds drivers for ever. Each topic
    /// has so many partitions; one that is revoked is gone after `handover`.
    pub(crate) fn leak(partitions: usize, handover: Duration) -> &'static Self {
        Box::leak(Box::new(Self(Broker::new(partitions, handover))))
    }

    pub(crate) fn broker(&self) -> &Arc<Broker> {
        &self.0
    }
}

impl Driver for LogDriver {
    fn name(&self) -> &'static str {
        "log"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &[address::SCHEME]
    }

    fn open(&self, _: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(LogTransport::new(self.0.clone(), environment.clock)))
    }
}

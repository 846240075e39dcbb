//! A driver around another one, whose parts can be made to misbehave.
//!
//! [`faulty`] gives the driver and a handle of [`Faults`]. Without faults it does what the driver under it
//! does, and keeps a [record](Faults::steps) of what was handed over and settled, in order:
//!
//! ```text
//! let (driver, faults) = faulty(&bus_inmemory::DRIVER);
//! faults.answer(1, carrying::<Tocked>, Answer::NotSent);
//! ```
//!
//! A [`Flaw`] is worse than a fault: a transport that has it breaks its promises, and the suite must find
//! it out.

mod deliveries;
mod faults;
mod flaw;
mod handed_out;
mod publisher;
mod receiver;
mod spoil;
mod step;
mod transport;

use std::sync::Arc;

use bus_core::transport::{Driver, Environment, Transport, TransportError};

pub use deliveries::Renewals;
pub use faults::{Answer, Faults, Withheld};
pub use flaw::Flaw;
pub use step::{Step, carrying, towards};
use transport::FaultyTransport;

/// A driver around `inner` that works, and the handle that makes it misbehave.
///
/// It takes the URLs of `inner`, and is never dropped: a catalog holds drivers for ever.
pub fn faulty(inner: &'static dyn Driver) -> (&'static dyn Driver, Faults) {
    let faults = Faults::new(None);
    (leak(inner, faults.clone()), faults)
}

/// A driver around `inner` that breaks a promise.
pub fn flawed(inner: &'static dyn Driver, flaw: Flaw) -> &'static dyn Driver {
    leak(inner, Faults::new(Some(flaw)))
}

fn leak(inner: &'static dyn Driver, faults: Faults) -> &'static dyn Driver {
    Box::leak(Box::new(FaultyDriver { inner, faults }))
}

#[derive(Debug)]
struct FaultyDriver {
    inner: &'static dyn Driver,
    faults: Faults,
}

impl Driver for FaultyDriver {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn schemes(&self) -> &'static [&'static str] {
        self.inner.schemes()
    }

    fn open(&self, url: &str, environment: Environment) -> Result<Arc<dyn Transport>, TransportError> {
        let clock = environment.clock.clone();
        Ok(Arc::new(FaultyTransport::new(self.inner.open(url, environment)?, self.faults.clone(), clock)))
    }
}

//! What happens on a bus, told where it happens: for metrics, audits, alarms and tests.
//!
//! An [`Observer`] is given to the builder with [`observer`](crate::Builder::observer), and is called with every
//! [`Event`], inline:
//!
//! - **It must not wait.** It runs where messages run; what takes time belongs into a channel of its own. Events of
//!   different messages come from different threads at once.
//! - **It changes nothing.** One that panics is caught, logged once, and called again with the next event. Messages
//!   are settled as if it was not there.
//! - **It never sees a body.** Ids, addresses, types and sizes are there; neither payloads nor credentials are, also
//!   not in the `Debug` of an event. The text of an error is what the handler's error says.
//!
//! Events of one message come in their order. Those of a message's sender and of its receivers do not: a receiver in
//! the same process may have it before its sender goes on.
//!
//! ```
//! use bus_core::{Builder, bus::Catalog, observer::Event};
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//!
//! let failures = Arc::new(AtomicU64::new(0));
//! let counted = failures.clone();
//! let builder = Builder::new("memory://shop", Catalog::default()).observer(move |event: &Event<'_>| match event {
//!     Event::AttemptFailed { handling, error, .. } => {
//!         eprintln!("{} failed: {error}", handling.consumer);
//!         counted.fetch_add(1, Ordering::Relaxed);
//!     }
//!     // There will be more of them.
//!     _ => {}
//! });
//! ```

mod event;
mod observers;
mod received;
mod sending;

pub use event::{Event, Handling, Next, ReceivedMessage, SentMessage};
pub(crate) use observers::Observers;
pub(crate) use received::Receiving;
pub(crate) use sending::{Departure, Sending, Watched};

/// Is told what happens on a bus, where it happens: see [the module](self). Every `Fn(&Event<'_>)` is one.
pub trait Observer: Send + Sync + 'static {
    /// Something happened. Must not wait, and is called from many threads at once.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

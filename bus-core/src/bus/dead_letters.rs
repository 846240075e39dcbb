use std::sync::Arc;

use crate::{Error, send::Outlet, transport::DeadLetter};

/// The messages that an endpoint could not handle.
///
/// ```
/// # use bus_core::{Bus, Error};
/// # async fn show(bus: &Bus) -> Result<(), Error> {
/// for letter in bus.dead_letters("orders").list().await? {
///     println!("{} ({:?}): {:?}", letter.queue, letter.reason(), letter.fault_message());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DeadLetters<'a> {
    outlet: &'a Arc<Outlet>,
    endpoint: String,
}

/// How many are shown of each queue.
const SHOWN: usize = 100;

impl<'a> DeadLetters<'a> {
    pub(super) fn new(outlet: &'a Arc<Outlet>, endpoint: &str) -> Self {
        Self { outlet, endpoint: endpoint.to_owned() }
    }

    /// Looks at them, the oldest 100 of `_error` and of `_skipped`, and leaves them where they are. A queue that does
    /// not exist holds nothing.
    ///
    /// On RabbitMQ looking counts as a delivery, and a quorum queue with a limit would delete the message at last: one
    /// that was delivered ten times is replaced by its copy, behind the others.
    ///
    /// # Errors
    /// [`Error::NotStarted`], and [`Error::Transport`] if the broker cannot be asked.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, Error> {
        if !self.outlet.is_open() {
            return Err(Error::NotStarted);
        }
        let mut letters = Vec::new();
        for suffix in ["_error", "_skipped"] {
            letters.extend(self.outlet.transport().browse(&format!("{}{suffix}", self.endpoint), SHOWN).await?);
        }
        Ok(letters)
    }
}

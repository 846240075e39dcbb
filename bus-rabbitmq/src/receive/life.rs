use std::time::{Duration, Instant};

use lapin::types::ShortString;

use super::{settlements::Settlements, watchdog::Watchdog};
use crate::refusal::Refusal;

/// A subscription that holds so long has worked.
const LASTED: Duration = Duration::from_secs(1);

/// The time between a subscription and its loss.
pub(super) struct Life {
    pub(super) generation: u64,
    /// The number of the connection.
    pub(super) connection: u64,
    pub(super) begun: Instant,
    pub(super) tag: ShortString,
    pub(super) settlements: Settlements,
    /// None where another consumer may be given all that comes.
    pub(super) watchdog: Option<Watchdog>,
}

impl Life {
    pub(super) fn lasted(&self, now: Instant) -> bool {
        self.begun + LASTED <= now
    }

    /// Waits for what is under way with the broker.
    ///
    /// # Errors
    /// The broker forgot this subscription.
    pub(super) async fn happens(&mut self) -> Result<(), Refusal> {
        let sending = self.settlements.is_sending();
        let watchdog = self.watchdog.as_mut().filter(|watchdog| watchdog.is_asking());
        let answer = async {
            match watchdog {
                Some(watchdog) => watchdog.answer().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.settlements.sent(), if sending => Ok(()),
            answer = answer => answer,
        }
    }
}

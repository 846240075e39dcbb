use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bus_core::transport::{Completer, Lease, Pending, Settling};
use tokio::sync::watch;

use super::{Faults, faults::Withheld};

/// What becomes of deliveries on their way and in their receiver's hands.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    renewals: Renewals,
    /// Until when nobody hears what became of a settlement.
    unheard: Option<watch::Receiver<bool>>,
    on_their_way: bool,
    lease: Option<Duration>,
    delivery_limit: Option<u32>,
    /// Dropped, they would be an answer.
    unanswered: Vec<Completer<Option<Lease>>>,
}

/// What is said to a receiver that asks for a longer lease.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Renewals {
    /// What the transport says.
    #[default]
    Granted,
    /// There is no longer one.
    Refused,
    /// Nothing, for ever.
    Unanswered,
}

impl Faults {
    /// From now on renewals end so.
    pub fn renewals(&self, renewals: Renewals) {
        self.state().renewals = renewals;
    }

    /// Settles deliveries as before, and tells what became of it only when this is released.
    pub fn withhold_settlements(&self) -> Withheld {
        let (withheld, heard) = Withheld::new();
        self.state().unheard = Some(heard);
        withheld
    }

    /// From now on what the broker delivers is on its way until its receiver is paused, and comes then.
    pub fn deliver_late(&self) {
        self.state().on_their_way = true;
    }

    /// The same no more.
    pub fn deliver_at_once(&self) {
        self.state().on_their_way = false;
    }

    /// From now on the transport says that its deliveries have such a lease. They are what they are.
    pub fn claim_lease(&self, length: Duration) {
        self.state().lease = Some(length);
    }

    /// From now on what is delivered more often than so many times is deleted.
    pub fn limit_deliveries(&self, limit: u32) {
        self.state().delivery_limit = Some(limit);
    }

    pub(super) fn delivery_limit(&self) -> Option<u32> {
        self.state().delivery_limit
    }

    pub(super) fn how_to_renew(&self) -> Renewals {
        self.state().renewals
    }

    pub(super) fn delivers_late(&self) -> bool {
        self.state().on_their_way
    }

    pub(super) fn claimed_lease(&self) -> Option<Duration> {
        self.state().lease
    }

    /// What is never answered.
    pub(super) fn silence(&self) -> Pending<Option<Lease>> {
        let (completer, silence) = Pending::new();
        self.state().unanswered.push(completer);
        silence
    }

    /// The outcome, once it may be heard.
    pub(super) fn heard(&self, settling: Settling) -> Settling {
        let Some(mut heard) = self.state().unheard.clone().filter(|heard| !*heard.borrow()) else { return settling };
        let (completer, told) = Pending::new();
        tokio::spawn(async move {
            // Whoever withheld it is gone: that releases it too.
            let _ = heard.wait_for(|heard| *heard).await;
            completer.complete(settling.await);
        });
        told
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.deliveries().0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

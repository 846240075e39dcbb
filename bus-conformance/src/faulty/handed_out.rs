use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bus_core::transport::{Delivery, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled};
use tokio::sync::OwnedSemaphorePermit;

use super::{Faults, Flaw, Renewals, Step};

/// What a receiver handed out, and may not be settled yet. A cheap handle.
#[derive(Debug, Clone, Default)]
pub(super) struct Out {
    all: Arc<Mutex<Vec<Weak<HandedOut>>>>,
    /// Completed, and the broker does not know.
    kept: Arc<Mutex<Vec<Unsettled>>>,
}

impl Out {
    /// Puts our own right to settle a delivery in place of the transport's. A place is taken until then.
    pub(super) fn wrap(
        &self,
        delivery: &mut Delivery,
        faults: &Faults,
        queue: &Arc<str>,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let handed_out = Arc::new(HandedOut {
            faults: faults.clone(),
            queue: queue.clone(),
            message_id: delivery.message_id.clone(),
            out: self.clone(),
            inner: Mutex::default(),
        });
        let ours = Unsettled::new(handed_out.clone(), Token { generation: 0, number: 0 });
        let inner = std::mem::replace(&mut delivery.unsettled, ours);
        if faults.has(Flaw::AcksEarly) {
            drop(inner.settle(Settlement::Complete));
        } else {
            *handed_out.inner() = Some((inner, place));
        }
        let mut out = lock(&self.all);
        out.retain(|other| other.strong_count() > 0);
        out.push(Arc::downgrade(&handed_out));
    }

    /// Everything that is not settled goes back; settling it later means nothing.
    pub(super) fn give_back(&self) {
        for handed_out in lock(&self.all).drain(..).filter_map(|handed_out| handed_out.upgrade()) {
            drop(handed_out.inner().take());
        }
    }

    /// Completes up to `max` of those that are out.
    fn complete(&self, max: usize) {
        let all: Vec<_> = lock(&self.all).iter().filter_map(Weak::upgrade).collect();
        for (inner, _) in all.iter().filter_map(|handed_out| handed_out.inner().take()).take(max) {
            drop(inner.settle(Settlement::Complete));
        }
    }
}

/// The settler of one delivery.
struct HandedOut {
    faults: Faults,
    queue: Arc<str>,
    message_id: Option<Arc<str>>,
    out: Out,
    /// Nothing once it is settled, or lost.
    inner: Mutex<Option<(Unsettled, Option<OwnedSemaphorePermit>)>>,
}

impl HandedOut {
    fn inner(&self) -> MutexGuard<'_, Option<(Unsettled, Option<OwnedSemaphorePermit>)>> {
        lock(&self.inner)
    }

    /// How many others go with one that is completed.
    fn others(&self) -> usize {
        match () {
            () if self.faults.has(Flaw::AcksAll) => usize::MAX,
            () if self.faults.has(Flaw::AcksTwo) => 1,
            () => 0,
        }
    }
}

impl Settler for HandedOut {
    fn settle(&self, _: Token, settlement: Settlement) -> Settling {
        let (queue, id) = (self.queue.clone(), self.message_id.clone());
        let mut settlement = settlement;
        match settlement {
            Settlement::Complete if self.faults.is_late() => {
                self.faults.note(Step::Late(queue, id));
                // Released, since it is dropped.
                drop(self.inner().take());
                return Pending::ready(SettleOutcome::LeaseLost);
            }
            Settlement::Release => {
                self.faults.note(Step::Released(queue, id));
                if self.faults.has(Flaw::LosesReleased) {
                    settlement = Settlement::Complete;
                }
            }
            _ => self.faults.note(Step::Completed(queue, id)),
        }
        let inner = self.inner().take();
        if matches!(settlement, Settlement::Complete) {
            self.out.complete(self.others());
        }
        match inner {
            Some((inner, _)) if self.faults.has(Flaw::KeepsCompleted) && matches!(settlement, Settlement::Complete) => {
                lock(&self.out.kept).push(inner);
                Pending::ready(SettleOutcome::Settled)
            }
            Some((inner, _)) if self.faults.has(Flaw::HidesLostLeases) => {
                drop(inner.settle(settlement));
                Pending::ready(SettleOutcome::Settled)
            }
            Some((inner, _place)) => self.faults.heard(inner.settle(settlement)),
            None if self.faults.has(Flaw::AcksEarly) || self.others() > 0 => Pending::ready(SettleOutcome::Settled),
            None => Pending::ready(SettleOutcome::LeaseLost),
        }
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        self.faults.note(Step::Renewed(self.queue.clone(), self.message_id.clone()));
        match self.faults.how_to_renew() {
            Renewals::Granted => self.inner().as_ref().map_or_else(|| Pending::ready(None), |(inner, _)| inner.renew()),
            Renewals::Refused => Pending::ready(None),
            Renewals::Unanswered => self.faults.silence(),
        }
    }
}

impl fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOut").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

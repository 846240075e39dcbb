use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Instant,
};

use bus_core::transport::{
    Delivery, Event, Lease, Pending, Receiver, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled,
};
use tokio::sync::watch;

use super::{Faults, Flaw, Step};

/// A receiver around another one.
#[derive(Debug)]
pub(super) struct FaultyReceiver {
    inner: Box<dyn Receiver>,
    faults: Faults,
    queue: Arc<str>,
    losses: watch::Receiver<BTreeMap<String, String>>,
    lost: bool,
    out: Out,
}

/// What was handed out, and may not be settled yet.
type Out = Arc<Mutex<Vec<Weak<HandedOut>>>>;

impl FaultyReceiver {
    pub(super) fn new(inner: Box<dyn Receiver>, faults: Faults, queue: Arc<str>) -> Self {
        let losses = faults.losses();
        Self { inner, faults, queue, losses, lost: false, out: Out::default() }
    }

    /// The delivery with our own right to settle in place of the transport's.
    fn wrap(&self, delivery: &mut Delivery) {
        if self.faults.has(Flaw::HidesRedelivery) {
            delivery.redelivered = false;
        }
        let handed_out = Arc::new(HandedOut {
            faults: self.faults.clone(),
            queue: self.queue.clone(),
            message_id: delivery.message_id.clone(),
            out: self.out.clone(),
            inner: Mutex::default(),
        });
        let ours = Unsettled::new(handed_out.clone(), Token { generation: 0, number: 0 });
        let inner = std::mem::replace(&mut delivery.unsettled, ours);
        if self.faults.has(Flaw::AcksEarly) {
            drop(inner.settle(Settlement::Complete));
        } else {
            *handed_out.inner() = Some(inner);
        }
        let mut out = lock(&self.out);
        out.retain(|other| other.strong_count() > 0);
        out.push(Arc::downgrade(&handed_out));
    }

    /// Everything that is not settled goes back; settling it later means nothing.
    fn give_back(&self) {
        for handed_out in lock(&self.out).drain(..).filter_map(|handed_out| handed_out.upgrade()) {
            drop(handed_out.inner().take());
        }
    }
}

impl Receiver for FaultyReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            loop {
                let why = self.losses.borrow_and_update().get(&*self.queue).cloned();
                match (self.lost, why) {
                    (false, Some(why)) => {
                        self.lost = true;
                        self.give_back();
                        into.push(Event::Lost(Arc::new(std::io::Error::other(why))));
                        return;
                    }
                    (true, None) => {
                        self.lost = false;
                        into.push(Event::Restored);
                        return;
                    }
                    (true, Some(_)) => drop(self.losses.changed().await),
                    (false, None) => {
                        let known = into.len();
                        tokio::select! {
                            biased;
                            _ = self.losses.changed() => {}
                            () = self.inner.next(max, into) => {
                                for event in &mut into[known..] {
                                    if let Event::Delivery(delivery) = event {
                                        self.wrap(delivery);
                                    }
                                }
                                return;
                            }
                        }
                    }
                }
            }
        })
    }

    fn pause(&mut self) {
        self.inner.pause();
    }

    fn close(self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.inner.close(deadline)
    }
}

/// The settler of one delivery.
struct HandedOut {
    faults: Faults,
    queue: Arc<str>,
    message_id: Option<Arc<str>>,
    out: Out,
    /// Nothing once it is settled, or lost.
    inner: Mutex<Option<Unsettled>>,
}

impl HandedOut {
    fn inner(&self) -> std::sync::MutexGuard<'_, Option<Unsettled>> {
        lock(&self.inner)
    }

    fn complete_all(&self) {
        let all: Vec<_> = lock(&self.out).iter().filter_map(Weak::upgrade).collect();
        for handed_out in all {
            if let Some(inner) = handed_out.inner().take() {
                drop(inner.settle(Settlement::Complete));
            }
        }
    }
}

impl Settler for HandedOut {
    fn settle(&self, _: Token, settlement: Settlement) -> Settling {
        let (queue, id) = (self.queue.clone(), self.message_id.clone());
        let mut settlement = settlement;
        match settlement {
            Settlement::Release => {
                self.faults.note(Step::Released(queue, id));
                if self.faults.has(Flaw::LosesReleased) {
                    settlement = Settlement::Complete;
                }
            }
            _ => self.faults.note(Step::Completed(queue, id)),
        }
        let inner = self.inner().take();
        if self.faults.has(Flaw::AcksAll) && matches!(settlement, Settlement::Complete) {
            self.complete_all();
        }
        match inner {
            Some(inner) => inner.settle(settlement),
            None if self.faults.has(Flaw::AcksEarly) || self.faults.has(Flaw::AcksAll) => {
                Pending::ready(SettleOutcome::Settled)
            }
            None => Pending::ready(SettleOutcome::LeaseLost),
        }
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        self.inner().as_ref().map_or_else(|| Pending::ready(None), Unsettled::renew)
    }
}

impl fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOut").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

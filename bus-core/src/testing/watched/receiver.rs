use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::watch;

use super::held;
use crate::{
    testing::activity::{Activity, Busy},
    transport::{
        Delivery, Event, Lease, Pending, Receiver, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled,
    },
};

/// Messages of the harness that went through a queue: whatever came into the queue before them has been
/// delivered too.
pub(in crate::testing) type Markers = watch::Sender<u64>;

/// The header of a marker.
pub(in crate::testing) const MARKER: &str = "Bus-Harness-Marker";

/// Counts what is handed out and not settled.
#[derive(Debug)]
pub(super) struct WatchedReceiver {
    pub(super) inner: Box<dyn Receiver>,
    pub(super) activity: Arc<Activity>,
    pub(super) markers: Arc<Markers>,
}

impl WatchedReceiver {
    fn watch(&self, event: Event) -> Option<Event> {
        let Event::Delivery(mut delivery) = event else { return Some(event) };
        if delivery.headers.text(MARKER).is_some() {
            let Delivery { unsettled, .. } = *delivery;
            drop(unsettled.settle(Settlement::Complete));
            self.markers.send_modify(|seen| *seen += 1);
            return None;
        }
        // The token means something to the transport under this one only.
        let token = Token { generation: 0, number: 0 };
        let handed = Handed { busy: Mutex::new(Some(self.activity.begin())), inner: Mutex::new(None) };
        let handed = Arc::new(handed);
        let inner = std::mem::replace(&mut delivery.unsettled, Unsettled::new(handed.clone(), token));
        *lock(&handed.inner) = Some(inner);
        Some(Event::Delivery(delivery))
    }
}

impl Receiver for WatchedReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let from = into.len();
            while into.len() == from {
                let mut events = Vec::new();
                let activity = self.activity.clone();
                let taking = {
                    let mut next = self.inner.next(max, &mut events);
                    // Busy while it is polled: between the queue and here a message is nowhere else.
                    poll_fn(|cx| {
                        let taking = activity.look();
                        next.as_mut().poll(cx).map(|()| taking)
                    })
                    .await
                };
                into.extend(events.into_iter().filter_map(|event| self.watch(event)));
                drop(taking);
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
struct Handed {
    busy: Mutex<Option<Busy>>,
    inner: Mutex<Option<Unsettled>>,
}

impl Settler for Handed {
    fn settle(&self, _: Token, settlement: Settlement) -> Settling {
        match (lock(&self.inner).take(), lock(&self.busy).take()) {
            (Some(inner), Some(busy)) => held(inner.settle(settlement), busy),
            _ => Pending::ready(SettleOutcome::LeaseLost),
        }
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        lock(&self.inner).as_ref().map_or_else(|| Pending::ready(None), Unsettled::renew)
    }
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handed")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

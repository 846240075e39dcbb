use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};

use super::{Dispatcher, Status, Stopping};
use crate::{
    clock::Clock,
    transport::{Delivery, Event, Receiver},
};

/// An endpoint that receives.
#[derive(Debug)]
pub(crate) struct Running {
    stop: watch::Sender<Option<Instant>>,
    pump: JoinHandle<()>,
}

/// Starts handling what a receiver delivers, at most `concurrency` messages at once.
pub(crate) fn start(
    receiver: Box<dyn Receiver>,
    dispatcher: Arc<Dispatcher>,
    status: Arc<Status>,
    concurrency: u16,
) -> Running {
    let (stop, stopped) = watch::channel(None);
    status.receiving();
    let pump = Pump {
        receiver,
        clock: dispatcher.endpoint().outlet.clock.clone(),
        dispatcher,
        status,
        places: Arc::new(Semaphore::new(concurrency.into())),
        waiting: VecDeque::new(),
        events: Vec::new(),
        running: JoinSet::new(),
    };
    Running { stop, pump: tokio::spawn(pump.run(stopped)) }
}

impl Running {
    /// Takes no more messages, lets the handlers that run finish until the deadline, returns the rest.
    pub(crate) async fn stop(self, deadline: Instant) {
        // The pump may have ended with its runtime.
        let _ = self.stop.send(Some(deadline));
        let _ = self.pump.await;
    }
}

struct Pump {
    receiver: Box<dyn Receiver>,
    clock: Clock,
    dispatcher: Arc<Dispatcher>,
    status: Arc<Status>,
    places: Arc<Semaphore>,
    /// Delivered, and waiting for a place.
    waiting: VecDeque<Delivery>,
    events: Vec<Event>,
    running: JoinSet<()>,
}

/// How many deliveries are taken over at once.
const BATCH: usize = 64;
/// After the handlers' deadline: how long settlements may take to reach the broker.
const GRACE: Duration = Duration::from_secs(1);

impl Pump {
    async fn run(mut self, mut stop: watch::Receiver<Option<Instant>>) {
        let _alarm = Alarm(self.status.clone());
        let (halt, halted) = watch::channel(false);
        let stopping = Stopping::new(halted);
        let deadline = loop {
            tokio::select! {
                biased;
                asked = stop.wait_for(Option::is_some) => {
                    // A bus that was dropped without `stop()` has no time to give.
                    break asked.ok().and_then(|deadline| *deadline).unwrap_or_else(|| self.clock.now());
                }
                () = self.step(&stopping) => {}
            }
        };
        self.status.stopping();
        self.receiver.pause();
        halt.send_replace(true);
        // Not started: back to the queue.
        self.waiting.clear();
        self.events.clear();
        let finished = self.clock.by(deadline, async { while self.running.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!(
                endpoint = &*self.dispatcher.endpoint().name,
                messages = self.running.len(),
                "handlers did not finish within the deadline: cancelled, and their messages returned"
            );
            // One that blocks its thread cannot be cancelled; it must not hold up the stop.
            let _ = self.clock.by(self.clock.after(GRACE), self.running.shutdown()).await;
        }
        self.receiver.close(deadline.max(self.clock.after(GRACE))).await;
        self.status.off();
    }

    /// Starts one delivery, or takes over what the receiver has to tell; both at once, so that a busy
    /// endpoint hears of a lost subscription too. Safe to cancel: nothing is taken that is not kept in `self`.
    async fn step(&mut self, stopping: &Stopping) {
        while self.running.try_join_next().is_some() {}
        tokio::select! {
            biased;
            place = self.places.clone().acquire_owned(), if !self.waiting.is_empty() => {
                // The semaphore is never closed, and somebody waits.
                let (Ok(place), Some(delivery)) = (place, self.waiting.pop_front()) else { return };
                let (dispatcher, stopping) = (self.dispatcher.clone(), stopping.clone());
                self.running.spawn(async move { dispatcher.deliver(delivery, place, stopping).await });
            }
            () = self.receiver.next(BATCH, &mut self.events) => self.follow(),
        }
    }

    fn follow(&mut self) {
        let endpoint = &*self.dispatcher.endpoint().name;
        for event in self.events.drain(..) {
            match event {
                Event::Delivery(delivery) => self.waiting.push_back(*delivery),
                Event::Lost(cause) => {
                    tracing::warn!(endpoint, %cause, "the subscription is lost");
                    self.status.lost(cause.to_string());
                    // They come again; handling these too would do the work twice.
                    self.waiting.clear();
                }
                Event::Restored => {
                    tracing::info!(endpoint, "the subscription is back");
                    self.status.receiving();
                }
                Event::Degraded(cause) => self.status.lost(cause.to_string()),
                // No endpoint asks for lanes yet.
                Event::Assigned(_) | Event::Revoked(..) => {}
            }
        }
    }
}

/// A pump that ends by a panic shows.
struct Alarm(Arc<Status>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lost("the endpoint itself panicked; start the bus again".to_owned());
        }
    }
}

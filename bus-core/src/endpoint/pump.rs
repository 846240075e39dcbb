use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{JoinHandle, JoinSet},
};

use super::{
    Dispatcher, Status, Stopping,
    arrival::Arrivals,
    lane::{FreeLane, InLane},
    stopping::Halt,
    turn::Turn,
    waiting::Waiting,
};
use crate::{
    clock::Clock,
    transport::{Delivery, Event, Lane, Receiver},
};

/// An endpoint that receives.
#[derive(Debug)]
pub(crate) struct Running {
    stop: watch::Sender<Option<Instant>>,
    pump: JoinHandle<()>,
    places: Arc<Semaphore>,
    concurrency: usize,
}

/// Starts handling what a receiver delivers, at most `concurrency` messages at once.
pub(crate) fn start(
    receiver: Box<dyn Receiver>,
    dispatcher: Arc<Dispatcher>,
    status: Arc<Status>,
    concurrency: u16,
    prefetch: u16,
) -> Running {
    let (stop, stopped) = watch::channel(None);
    let (freed, lanes) = mpsc::unbounded_channel();
    let (kept, keeps) = mpsc::unbounded_channel();
    let places = Arc::new(Semaphore::new(concurrency.into()));
    status.receiving();
    let pump = Pump {
        receiver,
        clock: dispatcher.endpoint().outlet.clock.clone(),
        dispatcher,
        status,
        places: places.clone(),
        concurrency: concurrency.into(),
        waiting: Waiting::default(),
        arrivals: Arrivals::new(prefetch),
        freed,
        lanes,
        kept,
        keeps,
        events: Vec::new(),
        running: JoinSet::new(),
    };
    Running { stop, pump: tokio::spawn(pump.run(stopped)), places, concurrency: concurrency.into() }
}

impl Running {
    /// Takes no more messages, lets the handlers that run finish until the deadline, returns the rest.
    pub(crate) async fn stop(self, deadline: Instant) {
        // The pump may have ended with its runtime.
        let _ = self.stop.send(Some(deadline));
        let _ = self.pump.await;
    }

    /// Whether it ended by itself: its runtime did, or it panicked.
    pub(crate) fn has_ended(&self) -> bool {
        self.pump.is_finished()
    }

    /// How many messages are at work; one that is handled alone counts for all the places that it takes.
    pub(crate) fn at_work(&self) -> usize {
        self.concurrency.saturating_sub(self.places.available_permits())
    }
}

struct Pump {
    receiver: Box<dyn Receiver>,
    clock: Clock,
    dispatcher: Arc<Dispatcher>,
    status: Arc<Status>,
    places: Arc<Semaphore>,
    concurrency: u32,
    /// Delivered, and waiting for a place.
    waiting: Waiting,
    arrivals: Arrivals,
    /// The lanes whose delivery came to its end.
    freed: mpsc::UnboundedSender<FreeLane>,
    lanes: mpsc::UnboundedReceiver<FreeLane>,
    /// Those that no copy could take the place of.
    kept: mpsc::UnboundedSender<Turn>,
    keeps: mpsc::UnboundedReceiver<Turn>,
    events: Vec<Event>,
    running: JoinSet<()>,
}

/// How many deliveries are taken over at once.
const BATCH: usize = 64;
/// After the handlers' deadline: how long settlements may take to reach the broker.
const GRACE: Duration = Duration::from_secs(1);

impl Pump {
    async fn run(mut self, mut stop: watch::Receiver<Option<Instant>>) {
        let mut alarm = Alarm { status: self.status.clone(), at_its_end: false };
        let (halt, stopping) = Halt::new();
        let asked = loop {
            tokio::select! {
                biased;
                asked = stop.wait_for(Option::is_some) => break asked.ok().and_then(|deadline| *deadline),
                () = self.step(&stopping) => {}
            }
        };
        // A bus that was dropped without `stop()` has no time to give.
        let deadline = asked.unwrap_or_else(|| self.clock.now());
        self.status.stopping();
        self.receiver.pause();
        halt.stop();
        // Of a bus that was dropped, what was not begun goes back behind what is at work, in the order by which those
        // are found out that ended their process (see `arrival.rs`).
        let clock = self.clock.clone();
        let finished = asked.is_some() && clock.by(deadline, self.finish(&stopping)).await.is_ok();
        if !finished && !self.running.is_empty() {
            // Of a bus that was dropped this is told once for all endpoints.
            if asked.is_some() {
                tracing::warn!(
                    endpoint = &*self.dispatcher.endpoint().name,
                    messages = self.running.len(),
                    "handlers did not finish until the stop's deadline: they are cancelled, and their messages go back"
                );
            }
            // One that blocks its thread cannot be cancelled; it must not hold up the stop.
            let _ = self.clock.by(self.clock.after(GRACE), self.running.shutdown()).await;
        }
        self.waiting.clear();
        self.receiver.close(deadline.max(self.clock.after(GRACE))).await;
        alarm.at_its_end = true;
        self.status.off();
    }

    /// Waits for the handlers. What was not begun goes back meanwhile, also what was still on its way when the receiver
    /// was paused, not after the slowest of them.
    async fn finish(&mut self, stopping: &Stopping) {
        loop {
            self.hand_back(stopping);
            tokio::select! {
                biased;
                ended = self.running.join_next() => if ended.is_none() { return },
                () = self.receiver.next(BATCH, &mut self.events) => {}
            }
            // A receiver that went on delivering would keep the thread from the handlers.
            tokio::task::yield_now().await;
        }
    }

    /// Returns what was delivered and not begun.
    fn hand_back(&mut self, stopping: &Stopping) {
        for event in self.events.drain(..) {
            match event {
                Event::Delivery(delivery) => self.waiting.push(self.arrivals.turn(*delivery, &self.clock)),
                Event::Lost(_) => {
                    self.arrivals.lost(&self.clock);
                    self.waiting.clear();
                }
                _ => {}
            }
        }
        for turn in self.waiting.counted() {
            let (dispatcher, stopping) = (self.dispatcher.clone(), stopping.clone());
            // What stays is released.
            self.begin(async move { drop(dispatcher.put_back(turn, &stopping).await) });
        }
        self.waiting.clear();
    }

    /// Starts one delivery, or takes over what the receiver has to tell; both at once, so that a busy
    /// endpoint hears of a lost subscription too. Safe to cancel: nothing is taken that is not kept in `self`.
    async fn step(&mut self, stopping: &Stopping) {
        while self.running.try_join_next().is_some() {}
        self.go_on();
        // Who is handled alone does not wait for those that rest: they may for hours.
        let alone = || self.concurrency.saturating_sub(stopping.resting()).max(1);
        let next = self.waiting.next().map(|turn| if turn.is_alone() { alone() } else { 1 });
        let clock = self.clock.clone();
        // Until something comes, all that waits here waits for what is at work.
        clock.behind(self.waiting.len(), self.come(next, stopping)).await;
    }

    /// The first that comes: places for the next delivery, the end of a lane's one, news from the receiver.
    async fn come(&mut self, next: Option<u32>, stopping: &Stopping) {
        tokio::select! {
            biased;
            // Nobody else asks for places: one that needs all of them waits until the others are done.
            place = self.places.clone().acquire_many_owned(next.unwrap_or(1)), if next.is_some() => {
                // The semaphore is never closed, and somebody waits.
                let (Ok(place), Some(turn)) = (place, self.waiting.pop()) else { return };
                let (dispatcher, stopping) = (self.dispatcher.clone(), stopping.clone());
                match turn.lane().cloned() {
                    None => self.begin(async move {
                        dispatcher.deliver(turn, place, stopping).await;
                    }),
                    Some(lane) => {
                        let in_lane = InLane::new(lane.clone(), self.waiting.begin(&lane), self.freed.clone());
                        let clock = self.clock.clone();
                        self.begin(async move {
                            let delivered = dispatcher.deliver(turn, place, stopping);
                            in_lane.run(delivered, &clock, &dispatcher.endpoint().name).await;
                        });
                    }
                }
            }
            () = stopping.rested(), if next.is_some_and(|places| places > 1) => {}
            Some(FreeLane { lane, returned }) = self.lanes.recv(), if self.waiting.has_more() => {
                self.waiting.go_on(&lane, returned);
            }
            Some(turn) = self.keeps.recv() => self.waiting.push(turn),
            () = self.receiver.next(BATCH, &mut self.events) => self.follow(stopping),
        }
    }

    /// Lets a delivery's work run.
    fn begin(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        if self.clock.is_manual() {
            // Between its settlement and the end of its place nothing here is settled.
            let clock = self.clock.clone();
            self.running.spawn(async move { clock.chore(Box::pin(work)).await });
        } else {
            self.running.spawn(work);
        }
    }

    fn go_on(&mut self) {
        while let Ok(FreeLane { lane, returned }) = self.lanes.try_recv() {
            self.waiting.go_on(&lane, returned);
        }
    }

    /// Waits here for a place, unless its broker would delete it soon. Those before it may never free theirs.
    fn arrive(&mut self, delivery: Delivery, stopping: &Stopping) {
        let turn = self.arrivals.turn(delivery, &self.clock);
        if !turn.worn {
            return self.waiting.push(turn);
        }
        let (dispatcher, stopping, kept) = (self.dispatcher.clone(), stopping.clone(), self.kept.clone());
        self.begin(async move {
            if let Some(turn) = dispatcher.put_back(turn, &stopping).await {
                // Nobody keeps it after a loss: it comes again.
                drop(kept.send(turn));
            }
        });
    }

    /// What waits here comes again.
    fn lose(&mut self) {
        self.arrivals.lost(&self.clock);
        self.waiting.clear();
        (self.kept, self.keeps) = mpsc::unbounded_channel();
    }

    fn follow(&mut self, stopping: &Stopping) {
        // What came back of a lane may be here again: it is not to be taken for what waited behind it.
        self.go_on();
        let dispatcher = self.dispatcher.clone();
        let endpoint = &*dispatcher.endpoint().name;
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                Event::Delivery(delivery) => self.arrive(*delivery, stopping),
                Event::Lost(cause) => {
                    self.status.lost(&cause.to_string());
                    // Handling these too would do the work twice.
                    self.lose();
                }
                Event::Cancelled(cause) => {
                    self.status.lost(&cause.to_string());
                    // Some brokers deliver them again all the same; what waits here may be all that is left of them.
                    self.arrivals.lost(&self.clock);
                }
                Event::Restored => self.status.receiving(),
                Event::Degraded(cause) => self.status.lost(&cause.to_string()),
                // What comes of a lane is handled in turn, whoever had the lane before.
                Event::Assigned(Lane(lane)) => tracing::debug!(endpoint, lane = &*lane, "a lane comes to this process"),
                Event::Revoked(lane, deadline) => {
                    tracing::debug!(
                        endpoint,
                        lane = &*lane.0,
                        "a lane goes to another receiver: what waits of it goes back"
                    );
                    // What is at work may still be settled until the deadline.
                    self.waiting.revoke(&lane, deadline);
                }
            }
        }
        self.events = events;
    }
}

/// A pump that ends by a panic, or with its runtime, shows.
struct Alarm {
    status: Arc<Status>,
    at_its_end: bool,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.status.lost("the endpoint itself panicked: start the bus again");
        } else if !self.at_its_end {
            self.status.lost("the runtime that the bus was started on has ended: start the bus again");
        }
    }
}

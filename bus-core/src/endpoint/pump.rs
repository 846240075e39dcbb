use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};

use super::{
    Dispatcher, Status, Stopping,
    arrival::Arrivals,
    at_work::{AtWork, Begins, Ended, Prints},
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
    let prints = Prints::default();
    let pump = Pump {
        receiver,
        clock: dispatcher.endpoint().outlet.clock.clone(),
        dispatcher,
        status,
        places: places.clone(),
        concurrency: concurrency.into(),
        waiting: Waiting::default(),
        arrivals: Arrivals::new(prefetch, prints.clone()),
        freed,
        lanes,
        kept,
        keeps,
        events: Vec::new(),
        running: AtWork::new(prints),
        again: Vec::new(),
        taken: false,
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
    running: AtWork,
    /// Empty between steps; kept for its room.
    again: Vec<Turn>,
    /// All places are taken by handlers whose delivery was lost.
    taken: bool,
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
        if !finished && self.running.len() > 0 {
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
                something = self.running.next(&mut self.again) => {
                    // It goes back, like all that is not begun.
                    self.again.clear();
                    if !something {
                        return;
                    }
                }
                () = self.receiver.next(BATCH, &mut self.events) => {}
            }
            // A receiver that went on delivering would keep the thread from the handlers.
            tokio::task::yield_now().await;
        }
    }

    /// Returns what was delivered and not begun.
    fn hand_back(&mut self, stopping: &Stopping) {
        self.again.clear();
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                Event::Delivery(delivery) => {
                    let turn = self.arrivals.turn(*delivery, &self.clock);
                    self.wait(turn);
                }
                // They come again by themselves.
                Event::Lost(_) => self.lose(false),
                Event::Overdue(_) => self.lose(true),
                _ => {}
            }
        }
        self.events = events;
        while let Ok(turn) = self.keeps.try_recv() {
            self.waiting.push(turn);
        }
        for turn in self.waiting.counted() {
            let (dispatcher, stopping) = (self.dispatcher.clone(), stopping.clone());
            self.begin(None, async move {
                // What stays is released.
                drop(dispatcher.put_back(turn, &stopping).await);
                Ended::Returned
            });
        }
        self.waiting.clear();
    }

    /// Starts one delivery, or takes over what the receiver has to tell; both at once, so that a busy
    /// endpoint hears of a lost subscription too. Safe to cancel: nothing is taken that is not kept in `self`.
    async fn step(&mut self, stopping: &Stopping) {
        self.running.reap(&mut self.again);
        self.go_on();
        self.waiting_again();
        // Who is handled alone does not wait for those that rest: they may for hours.
        let alone = || self.concurrency.saturating_sub(stopping.resting()).max(1);
        let next = self.waiting.next().map(|turn| if turn.is_alone() { alone() } else { 1 });
        let clock = self.clock.clone();
        // Until something comes, all that waits here waits for what is at work.
        clock.behind(self.waiting.len() + self.running.held(), self.come(next, stopping)).await;
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
                let begins = Some(Begins::of(&turn, self.clock.now()));
                match turn.lane().cloned() {
                    None => self.begin(begins, async move { dispatcher.deliver(turn, place, stopping).await }),
                    Some(lane) => {
                        let in_lane = InLane::new(lane.clone(), self.waiting.begin(&lane), self.freed.clone());
                        let clock = self.clock.clone();
                        self.begin(begins, async move {
                            let delivered = dispatcher.deliver(turn, place, stopping);
                            in_lane.run(delivered, &clock, &dispatcher.endpoint().name).await
                        });
                    }
                }
            }
            () = stopping.rested(), if next.is_some_and(|places| places > 1) => {}
            Some(FreeLane { lane, returned }) = self.lanes.recv(), if self.waiting.has_more() => {
                self.waiting.go_on(&lane, returned);
            }
            Some(turn) = self.keeps.recv() => self.waiting.push(turn),
            _ = self.running.next(&mut self.again), if self.taken || self.running.held() > 0 => {}
            () = self.receiver.next(BATCH, &mut self.events) => self.follow(stopping),
        }
    }

    /// Lets a delivery's work run.
    fn begin(&mut self, begins: Option<Begins>, work: impl Future<Output = Ended> + Send + 'static) {
        if self.clock.is_manual() {
            // Between its settlement and the end of its place nothing here is settled.
            let clock = self.clock.clone();
            self.running.begin(begins, async move { clock.chore(Box::pin(work)).await });
        } else {
            self.running.begin(begins, work);
        }
    }

    /// Takes what came again of handlers that did not come to their end.
    fn waiting_again(&mut self) {
        for turn in self.again.drain(..) {
            self.waiting.push(turn);
        }
        if self.taken && !self.is_taken() {
            self.taken = false;
            self.status.places_taken(None);
        }
    }

    fn is_taken(&self) -> bool {
        self.places.available_permits() == 0 && self.running.is_lost()
    }

    /// Nothing that was delivered can be settled any more.
    fn lose(&mut self, overdue: bool) {
        // Who ended has nothing to lose.
        self.running.reap(&mut self.again);
        self.again.clear();
        self.cannot_settle(overdue);
        // They come again; handling these too would do the work twice.
        self.waiting.clear();
        (self.kept, self.keeps) = mpsc::unbounded_channel();
    }

    fn cannot_settle(&mut self, overdue: bool) {
        if overdue {
            let prints = self.running.overdue(self.clock.now());
            if !prints.is_empty() {
                tracing::warn!(
                    endpoint = &*self.dispatcher.endpoint().name,
                    messages = prints.len(),
                    "handlers took longer than the broker waits: they are cancelled, and their messages come again"
                );
            }
            self.arrivals.overdue(prints, &self.clock);
        } else {
            self.running.lose();
            self.arrivals.lost(&self.clock);
        }
        if self.is_taken() && !std::mem::replace(&mut self.taken, true) {
            self.status.places_taken(Some(self.concurrency));
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
        if !turn.worn || turn.overdue.is_some() {
            return self.wait(turn);
        }
        let (dispatcher, stopping, kept) = (self.dispatcher.clone(), stopping.clone(), self.kept.clone());
        self.begin(None, async move {
            if let Some(turn) = dispatcher.put_back(turn, &stopping).await {
                // Nobody keeps it after a loss: it comes again.
                drop(kept.send(turn));
            }
            Ended::Returned
        });
    }

    /// Waits for a place, or for its handler, if that runs here.
    fn wait(&mut self, turn: Turn) {
        if let Some(turn) = self.running.hold(turn) {
            self.waiting.push(turn);
        }
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
                    self.lose(false);
                }
                Event::Overdue(cause) => {
                    self.status.lost(&cause.to_string());
                    self.lose(true);
                }
                Event::Cancelled(cause) => {
                    self.status.lost(&cause.to_string());
                    // Some brokers deliver them again all the same; what waits here may be all that is left of them.
                    self.cannot_settle(false);
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

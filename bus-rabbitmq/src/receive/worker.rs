use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    transport::{Cause, Completer, ReceiverSettings, SettleOutcome, Settlement, Token},
};
use futures_util::FutureExt;
use lapin::{Connection, options::BasicCancelOptions};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    WorkerEnds,
    command::{Command, Feed, NewLife},
    life::Life,
    settlements::Settlements,
    subscribe::subscribe,
    watchdog::Watchdog,
};
use crate::{
    EndpointOptions,
    link::{Link, Status, backoff},
    refusal::{Kind, Refusal},
    topology::{Applied, DELETING, short},
};

/// How long the broker may take to answer the last frames.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long the broker may take to declare and subscribe before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);

/// Keeps one subscription: subscribes, settles, subscribes again. Lives on the connection's thread.
pub(crate) struct Worker {
    settings: ReceiverSettings,
    clock: Clock,
    applied: Arc<Applied>,
    commands: mpsc::UnboundedReceiver<Command>,
    feeds: mpsc::UnboundedSender<Feed>,
    out: Arc<AtomicUsize>,
    status: watch::Receiver<Status>,
    life: Option<Life>,
    generation: u64,
    paused: bool,
    /// When to try to subscribe again, and how often that failed.
    retry: Option<Instant>,
    failures: u32,
    /// The number of the connection that it was tried on last.
    tried: u64,
    /// The queue may be gone: declare it before subscribing.
    declare_first: bool,
    lost: Option<Cause>,
    /// The last reason why there is no subscription that the receiver was told.
    told: Option<String>,
    closing: Option<(Instant, oneshot::Sender<()>)>,
    /// How many settlements came.
    settled: usize,
}

impl Worker {
    pub(crate) fn new(
        settings: ReceiverSettings,
        link: &Link,
        clock: Clock,
        applied: Arc<Applied>,
        ends: WorkerEnds,
    ) -> Self {
        let WorkerEnds { commands, feeds, out } = ends;
        Self {
            settings,
            clock,
            applied,
            commands,
            feeds,
            out,
            status: link.watch(),
            life: None,
            generation: 0,
            paused: false,
            retry: None,
            failures: 0,
            tried: 0,
            declare_first: false,
            lost: None,
            told: None,
            closing: None,
            settled: 0,
        }
    }

    /// Subscribes for the first time; then the caller lets it run.
    pub(crate) async fn begin(&mut self, number: u64, connection: &Connection) -> Result<(), Refusal> {
        self.status.mark_changed();
        self.subscribe(number, connection).await
    }

    /// Runs until the receiver is closed or dropped.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::new();
        let mut watching = true;
        loop {
            let clock = self.clock.clone();
            let wake = self.wake();
            let at = wake.unwrap_or_else(|| clock.now());
            tokio::select! {
                biased;
                changed = self.status.changed(), if watching => match changed {
                    Ok(()) => self.look().await,
                    Err(_) => watching = false,
                },
                happened = happens(&mut self.life) => if let Err(refusal) = happened {
                    self.forgotten(refusal);
                },
                taken = self.commands.recv_many(&mut batch, 256) => {
                    if taken == 0 {
                        break;
                    }
                    for command in batch.drain(..) {
                        match command {
                            Command::Settle(token, settlement, done) => self.settle(token, &settlement, done),
                            Command::Ended(generation, cancelled) => self.ended(generation, cancelled),
                            Command::Pause => self.pause(),
                            Command::Close(deadline, done) => {
                                self.pause();
                                self.closing = Some((deadline, done));
                            }
                            Command::Dropped => return self.end().await,
                        }
                    }
                }
                () = clock.sleep_until(at), if wake.is_some() => {}
            }
            let now = self.clock.now();
            if let Some(life) = &mut self.life {
                life.settlements.flush(Some(now));
            }
            let all_settled = self.out.load(Ordering::Acquire) == self.settled;
            if self.closing.as_ref().is_some_and(|(deadline, _)| all_settled || *deadline <= now) {
                break;
            }
            self.watch(now);
            if self.retry.is_some_and(|at| at <= now) {
                self.revive().await;
            }
        }
        self.end().await;
    }

    fn wake(&self) -> Option<Instant> {
        let due = self.life.as_ref().and_then(|life| life.settlements.due());
        let closing = self.closing.as_ref().map(|(deadline, _)| *deadline);
        let look = self.watchdog().map(Watchdog::due);
        [due, self.retry, closing, look].into_iter().flatten().min()
    }

    /// Of the subscription, while something is to come.
    fn watchdog(&self) -> Option<&Watchdog> {
        self.life.as_ref().filter(|_| self.wanted()).and_then(|life| life.watchdog.as_ref())
    }

    fn watch(&mut self, now: Instant) {
        if self.watchdog().is_none_or(|watchdog| watchdog.due() > now) {
            return;
        }
        let delivered = self.out.load(Ordering::Acquire);
        let Some(life) = &mut self.life else { return };
        let (Some(watchdog), channel) = (&mut life.watchdog, life.settlements.channel()) else { return };
        if let Err(refusal) = watchdog.look(now, delivered, delivered == self.settled, channel) {
            self.forgotten(refusal);
        }
    }

    /// Nothing comes any more, and no word of it: it is subscribed anew.
    fn forgotten(&mut self, refusal: Refusal) {
        let cause: Cause = Arc::new(refusal);
        // A receiver that is gone says so with its own command.
        let _ = self.feeds.send(Feed::Forgotten(cause.clone()));
        self.lose(cause);
        self.retry_later();
    }

    fn settle(&mut self, token: Token, settlement: &Settlement, done: Completer<SettleOutcome>) {
        self.settled += 1;
        match &mut self.life {
            Some(life) if life.generation == token.generation => {
                life.settlements.take(token.number, settlement, done, self.clock.now());
            }
            // The channel that it came on is gone: the broker gave it back already.
            _ => done.complete(SettleOutcome::Unknown),
        }
    }

    /// Follows the connection.
    async fn look(&mut self) {
        let usable = self.status.borrow_and_update().usable().map(|(number, _)| number);
        if self.life.as_ref().is_some_and(|life| Some(life.connection) != usable) {
            let cause = Arc::new(self.status.borrow().refusal(self.clock.now()));
            self.lose(cause);
        }
        // On the connection that it was tried on, the pause until it is tried again goes on.
        let pausing = self.retry.is_some() && usable == Some(self.tried);
        if self.life.is_none() && usable.is_some() && self.wanted() && !pausing {
            self.failures = 0;
            self.revive().await;
        }
    }

    fn single_active(&self) -> bool {
        self.settings.extensions.get::<EndpointOptions>().is_some_and(|options| options.lane().is_some())
    }

    fn wanted(&self) -> bool {
        !self.paused && self.closing.is_none()
    }

    /// The receiver saw its stream end. The broker cancels when the queue is deleted.
    fn ended(&mut self, generation: u64, cancelled: bool) {
        if self.paused || self.life.as_ref().is_none_or(|life| life.generation != generation) {
            return;
        }
        self.declare_first |= cancelled;
        let why = if cancelled { "the broker cancelled the subscription" } else { "the channel was closed" };
        self.lose(Arc::new(Refusal::new(Kind::Channel, why)));
        self.retry_later();
        if cancelled {
            self.retry = self.retry.max(Some(self.clock.now() + DELETING));
        }
    }

    fn lose(&mut self, cause: Cause) {
        self.lost = Some(cause);
        // Dropped, the channel is closed if it is still open, and what is not settled goes back.
        let Some(life) = self.life.take() else { return };
        // One that ends at once is a failure like one that never was.
        if life.lasted(self.clock.now()) {
            self.failures = 0;
        }
    }

    async fn revive(&mut self) {
        self.retry = None;
        let usable = self.status.borrow().usable().map(|(number, connection)| (number, connection.clone()));
        let Some((number, connection)) = usable.filter(|_| self.wanted() && self.life.is_none()) else { return };
        // At a queue that does not answer, commands have to wait no longer than this.
        let (clock, deadline) = (self.clock.clone(), self.clock.now() + ANSWER);
        let revived = async {
            if self.declare_first && self.applied.again_for(&self.settings.queue, &connection).await.is_ok() {
                self.declare_first = false;
            }
            self.subscribe(number, &connection).await
        };
        let revived = clock
            .by(deadline, revived)
            .await
            .unwrap_or_else(|_| Err(Refusal::new(Kind::Channel, format!("no answer within {} s", ANSWER.as_secs()))));
        if let Err(refusal) = revived {
            tracing::debug!(queue = %self.settings.queue, error = %refusal, "a queue could not be subscribed to: tried again");
            self.declare_first |= refusal.kind() == Kind::Missing;
            // The first time it may only have to be declared.
            if refusal.is_answer() && self.failures > 0 {
                self.tell(refusal);
            }
            self.retry_later();
        }
    }

    fn tell(&mut self, refusal: Refusal) {
        let words = Some(refusal.to_string());
        if self.told != words {
            self.told = words;
            // A receiver that is gone says so with its own command.
            let _ = self.feeds.send(Feed::Failing(Arc::new(refusal)));
        }
    }

    fn retry_later(&mut self) {
        self.retry = Some(self.clock.now() + backoff::pause(self.failures));
        self.failures = self.failures.saturating_add(1);
    }

    async fn subscribe(&mut self, number: u64, connection: &Connection) -> Result<(), Refusal> {
        self.tried = number;
        let (channel, consumer) = subscribe(connection, &self.settings).await?;
        let queue = short(&self.settings.queue)?;
        self.generation += 1;
        self.life = Some(Life {
            generation: self.generation,
            connection: number,
            begun: self.clock.now(),
            tag: consumer.tag(),
            settlements: Settlements::new(channel.clone(), self.settings.prefetch),
            watchdog: (!self.single_active()).then(|| Watchdog::new(queue, self.clock.now())),
        });
        // A receiver that is gone says so with its own command.
        let lost = self.lost.take();
        let life = NewLife { generation: self.generation, channel, consumer, lost };
        let _ = self.feeds.send(Feed::Life(Box::new(life)));
        self.told = None;
        Ok(())
    }

    /// Cancels, and keeps the channel: what was delivered on it can still be settled.
    ///
    /// At a cancel the queue of a single active consumer is given to the next one at once, and that one begins behind
    /// what is still here. So that order is kept it is left by closing the channel, when the last handler is done; until
    /// then no more than the prefetch arrives.
    fn pause(&mut self) {
        if std::mem::replace(&mut self.paused, true) {
            return;
        }
        self.retry = None;
        let single_active = self.single_active();
        if let Some(life) = self.life.as_mut().filter(|_| single_active) {
            life.settlements.keep_released();
        } else if let Some(life) = &self.life {
            let (channel, tag) = (life.settlements.channel().clone(), life.tag.clone());
            // A channel that cannot cancel is closed: then nothing is delivered either.
            let mut cancel =
                Box::pin(async move { drop(channel.basic_cancel(tag, BasicCancelOptions::default()).await) });
            // Queued with lapin here, before what is released from now on: the broker would give that to us again,
            // and here it would lie until the last handler is done.
            if (&mut cancel).now_or_never().is_none() {
                tokio::spawn(cancel);
            }
        }
    }

    /// Writes what is settled, then closes the channel: the rest goes back to the queue.
    async fn end(mut self) {
        if let Some(mut life) = self.life.take() {
            life.settlements.flush(None);
            let last = async {
                while life.settlements.is_sending() {
                    life.settlements.sent().await;
                }
                life.settlements.channel().close(200, "OK".into()).await
            };
            // A broker that does not answer is left; it gives back what was not settled.
            let _ = self.clock.by(self.clock.now() + GOODBYE, last).await;
        }
        if let Some((_, done)) = self.closing.take() {
            // Nobody waits any more.
            let _ = done.send(());
        }
    }
}

async fn happens(life: &mut Option<Life>) -> Result<(), Refusal> {
    match life {
        Some(life) => life.happens().await,
        None => std::future::pending().await,
    }
}

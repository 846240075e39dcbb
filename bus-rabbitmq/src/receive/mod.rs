//! Subscriptions: deliveries straight from lapin to the caller, settlements through a worker on the
//! connection's thread.

mod ack_book;
mod command;
mod life;
mod ranges;
mod settlements;
mod subscribe;
mod watchdog;
mod worker;

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bus_core::{
    clock::Clock,
    transport::{Cause, Event, Lane, Receiver, Settlement, Token, Unsettled},
};
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};

pub(crate) use command::Command;
pub(crate) use worker::Worker;

use crate::{
    EndpointOptions, decode, delay,
    refusal::{Kind, Refusal},
    topology::supposed_limit,
};
use command::{Feed, Hand, NewLife};

/// How long after the deadline the broker may take to answer the last frames.
const GOODBYE: Duration = Duration::from_secs(1);

/// The events of one queue.
#[derive(Debug)]
pub(crate) struct Inbound {
    feeds: mpsc::UnboundedReceiver<Feed>,
    current: Option<Current>,
    hand: Arc<Hand>,
    /// How many deliveries were handed out.
    out: Arc<AtomicUsize>,
    clock: Clock,
    /// Of every message of this queue.
    lane: Option<Lane>,
    delivery_limit: u32,
    /// The loss was told, and the way back was not.
    lost: bool,
    paused: bool,
    queued: VecDeque<Event>,
}

struct Current {
    generation: u64,
    channel: lapin::Channel,
    consumer: lapin::Consumer,
}

/// The ends that the worker holds.
pub(crate) struct WorkerEnds {
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) feeds: mpsc::UnboundedSender<Feed>,
    pub(crate) out: Arc<AtomicUsize>,
}

impl Inbound {
    pub(crate) fn new(clock: Clock, options: &EndpointOptions) -> (Self, WorkerEnds) {
        let (commands, received) = mpsc::unbounded_channel();
        let (fed, feeds) = mpsc::unbounded_channel();
        let out = Arc::new(AtomicUsize::new(0));
        let inbound = Self {
            feeds,
            current: None,
            hand: Arc::new(Hand { commands }),
            out: out.clone(),
            clock,
            lane: options.lane(),
            delivery_limit: supposed_limit(options),
            lost: false,
            paused: false,
            queued: VecDeque::new(),
        };
        (inbound, WorkerEnds { commands: received, feeds: fed, out })
    }

    fn poll_events(&mut self, cx: &mut Context<'_>, max: usize, into: &mut Vec<Event>) -> Poll<()> {
        let max = max.max(1);
        let before = into.len();
        let mut look = true;
        while into.len() - before < max {
            if let Some(event) = self.queued.pop_front() {
                into.push(event);
                continue;
            }
            // A new life counts first: what the old one still has buffered comes again there.
            let fed = if look { self.feeds.poll_recv(cx) } else { Poll::Pending };
            match fed {
                Poll::Ready(Some(Feed::Life(life))) => {
                    self.follow(*life);
                    continue;
                }
                Poll::Ready(Some(Feed::Forgotten(cause))) => {
                    self.lose(cause);
                    continue;
                }
                Poll::Ready(Some(Feed::Failing(cause))) => {
                    self.failing(cause);
                    continue;
                }
                // Also while its channel stands: nothing could be settled on it.
                Poll::Ready(None) if !self.lost && !self.paused => {
                    self.lose(Arc::new(Refusal::new(Kind::Disconnected, "the transport was closed")));
                    continue;
                }
                _ => look = false,
            }
            let Some(current) = &mut self.current else { break };
            let alive = current.channel.status().connected();
            match current.consumer.poll_next_unpin(cx) {
                // Its channel is gone: the broker gave it back already.
                Poll::Ready(Some(Ok(_))) if !alive => {}
                Poll::Ready(Some(Ok(delivery))) => {
                    let token = Token { generation: current.generation, number: delivery.delivery_tag };
                    self.out.fetch_add(1, Ordering::AcqRel);
                    let unsettled = Unsettled::new(self.hand.clone(), token);
                    let mut delivery = decode::delivery(delivery, unsettled);
                    delivery.lane = self.lane.clone();
                    delivery.delivery_limit = Some(self.delivery_limit);
                    if delay::take_expiry(&mut delivery.headers, &self.clock) {
                        tracing::debug!(message_id = delivery.message_id.as_deref(), "a delayed message expired");
                        drop(delivery.unsettled.settle(Settlement::Complete));
                    } else {
                        into.push(Event::Delivery(Box::new(delivery)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.ended(Some(error.into()));
                    look = true;
                }
                Poll::Ready(None) => {
                    self.ended(None);
                    look = true;
                }
                Poll::Pending => break,
            }
        }
        if into.len() == before { Poll::Pending } else { Poll::Ready(()) }
    }

    /// It is lost already; why it does not come back may be another reason.
    fn failing(&mut self, cause: Cause) {
        if self.lost && !self.paused {
            self.queued.push_back(Event::Degraded(cause));
        }
    }

    fn follow(&mut self, feed: NewLife) {
        if self.current.is_some() {
            self.lose(feed.lost.unwrap_or_else(|| Arc::new(Refusal::new(Kind::Disconnected, "it was lost"))));
        }
        if std::mem::take(&mut self.lost) {
            self.queued.push_back(Event::Restored);
        }
        self.current = Some(Current { generation: feed.generation, channel: feed.channel, consumer: feed.consumer });
    }

    fn ended(&mut self, refusal: Option<Refusal>) {
        let Some(Current { generation, channel, .. }) = self.current.take() else { return };
        if self.paused {
            return;
        }
        // An end without a reason on a channel that stands is a cancel by the broker.
        let cancelled = refusal.is_none() && channel.status().connected();
        let words = if cancelled { "the broker cancelled the subscription" } else { "the channel was closed" };
        let refusal = refusal.unwrap_or_else(|| Refusal::new(Kind::Channel, words));
        // The worker may have ended with the transport.
        let _ = self.hand.commands.send(Command::Ended(generation, cancelled));
        let overdue = refusal.is_overdue();
        let cause: Cause = Arc::new(refusal);
        self.tell(match (cancelled, overdue) {
            // Of a deleted queue nothing comes again.
            (true, _) => Event::Cancelled(cause),
            (_, true) => Event::Overdue(cause),
            _ => Event::Lost(cause),
        });
    }

    fn lose(&mut self, cause: Cause) {
        self.current = None;
        if !self.paused {
            self.tell(Event::Lost(cause));
        } else {
            self.lost = true;
        }
    }

    /// Once for each time that it is lost.
    fn tell(&mut self, loss: Event) {
        if !std::mem::replace(&mut self.lost, true) {
            self.queued.push_back(loss);
        }
    }
}

impl Receiver for Inbound {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(poll_fn(move |cx| self.poll_events(cx, max, into)))
    }

    fn pause(&mut self) {
        self.paused = true;
        // The worker may have ended with the transport.
        let _ = self.hand.commands.send(Command::Pause);
    }

    fn close(mut self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.paused = true;
        let (done, closed) = oneshot::channel();
        let told = self.hand.commands.send(Command::Close(deadline, done));
        Box::pin(async move {
            if told.is_err() {
                return;
            }
            let clock = self.clock.clone();
            // What lapin buffered goes back by dropping it; the stream ends with the cancel, or the worker.
            let (mut closed, mut buffered) = (closed, Vec::new());
            let returned = async {
                loop {
                    tokio::select! {
                        biased;
                        _ = &mut closed => return,
                        () = self.next(256, &mut buffered) => buffered.clear(),
                    }
                }
            };
            // A broker that does not answer is not waited for: what is dropped now it gives back itself.
            let _ = clock.by(deadline + GOODBYE, returned).await;
        })
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        // After a close the worker is gone, and the command with it.
        let _ = self.hand.commands.send(Command::Dropped);
    }
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("generation", &self.generation).finish_non_exhaustive()
    }
}

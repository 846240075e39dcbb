use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, RwLock};

use super::{
    OVERDUE, STARTS, Stopped, Stopping, Trouble,
    at_work::Ended,
    failed::Failed,
    lease,
    starts::{self, Count},
    turn::Turn,
};
use crate::{
    codec::{RAW, read_raw},
    consumer::{EndpointContext, Failure, Verdict},
    envelope::{Envelope, Incoming},
    fault::{Aside, Reason, move_aside, skipped_headers},
    observer::Receiving,
    pipeline::{Pipeline, Unfinished},
    transport::{Delivery, Lease, SettleOutcome, Settlement},
};

/// How long a message is held that our own code panicked over.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// Decides what happens to one delivery: which consumers run, and how it is settled.
pub(crate) struct Dispatcher {
    pub(super) endpoint: Arc<EndpointContext>,
    pipelines: Vec<Arc<dyn Pipeline>>,
    /// The URN as we write it and in lower case, and which pipelines take it.
    by_urn: HashMap<String, Vec<usize>>,
    /// Held while a message is put back with its starts counted.
    counting: RwLock<()>,
    /// That envelopes have members that cannot be read was logged.
    warned: AtomicBool,
}

impl Dispatcher {
    pub(crate) fn new(endpoint: Arc<EndpointContext>, pipelines: Vec<Arc<dyn Pipeline>>) -> Self {
        let mut by_urn: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, pipeline) in pipelines.iter().enumerate() {
            by_urn.entry(pipeline.message_type().urn().to_ascii_lowercase()).or_default().push(index);
        }
        for pipeline in &pipelines {
            let urn = pipeline.message_type().urn();
            let takers = by_urn[&urn.to_ascii_lowercase()].clone();
            by_urn.insert(urn.to_owned(), takers);
        }
        Self { endpoint, pipelines, by_urn, counting: RwLock::default(), warned: AtomicBool::new(false) }
    }

    pub(crate) fn endpoint(&self) -> &Arc<EndpointContext> {
        &self.endpoint
    }

    /// Handles a delivery to its end. It comes again if the endpoint stops meanwhile, if its lease is over, and if the
    /// broker did not take its settlement.
    ///
    /// `place` is one of the endpoint's concurrency. It is free for the next message as soon as this one's
    /// settlement is handed over: a broker may take acknowledgements in batches. One that is handled alone keeps it
    /// until the broker was told: if the next one ends the process, this one is not to come again as a suspect.
    pub(crate) async fn deliver(&self, turn: Turn, place: OwnedSemaphorePermit, stopping: Stopping) -> Ended {
        let handled = match turn.delivery.lease {
            None => AssertUnwindSafe(self.handle(turn, place, &stopping)).catch_unwind().await,
            Some(lease) => {
                let leased = Box::pin(self.leased(turn, lease, place, &stopping));
                AssertUnwindSafe(leased).catch_unwind().await
            }
        };
        match handled {
            Ok(Ok(ended)) => ended,
            // A delivery that is dropped unsettled is released, and so is one whose handling was stopped.
            Ok(Err(Stopped)) => {
                tracing::debug!(endpoint = &*self.endpoint.name, "a message goes back to its queue");
                Ended::Returned
            }
            Err(panic) => {
                // Ours, not a handler's. The message comes again; not in a hot loop.
                let reason = Reason::panicked(panic, Verdict::Retry);
                tracing::error!(
                    endpoint = &*self.endpoint.name,
                    error = reason.text,
                    "the bus itself panicked over a message, which comes again: please report it"
                );
                let mut holding = None;
                self.endpoint.status.hold(&mut holding, Trouble::Away, reason.text);
                let clock = &self.endpoint.outlet.clock;
                // Not as part of the delivery, which is gone.
                let _ = clock.by(clock.after(PANIC_PAUSE), stopping.signalled()).await;
                Ended::Returned
            }
        }
    }

    /// Handles a delivery as long as it is ours. Its handler is dropped when the lease is over: somebody else has
    /// the message then, and nothing can be settled here.
    async fn leased(
        &self,
        turn: Turn,
        mut lease: Lease,
        place: OwnedSemaphorePermit,
        stopping: &Stopping,
    ) -> Result<Ended, Stopped> {
        let clock = &self.endpoint.outlet.clock;
        let message_id = turn.delivery.message_id.clone();
        let Some(renewer) = turn.delivery.unsettled.renewer() else { return Err(Stopped) };
        if turn.stale.is_some_and(|stale| clock.now() > stale) {
            // It waited too long here to be begun with what is left.
            match lease::by(clock, lease.until, &renewer).await {
                Some(longer) => lease = longer,
                None => return Err(Stopped),
            }
        }
        tokio::select! {
            biased;
            handled = self.handle(turn, place, stopping) => handled,
            () = clock.chore(lease::over(lease, renewer, clock)) => {
                tracing::warn!(
                    endpoint = &*self.endpoint.name,
                    message_id = message_id.as_deref(),
                    "a message was handled for longer than its lease: its handler is cancelled, and it comes again"
                );
                Err(Stopped)
            }
        }
    }

    /// What is rare has a box: every delivery's task has room for the largest of the ways.
    async fn handle(&self, turn: Turn, place: OwnedSemaphorePermit, stopping: &Stopping) -> Result<Ended, Stopped> {
        let envelope = match read(&turn.delivery, &self.endpoint) {
            Ok(envelope) => envelope,
            Err(failure) => {
                let reason = Reason::of(failure, |_| Verdict::Permanent);
                return Box::pin(self.unreadable(turn.delivery, reason, stopping)).await.map(Ended::of);
            }
        };
        let history = starts::verdict(&turn);
        let alone = turn.is_alone();
        let counted = turn.is_counted().then_some(turn.starts);
        let mut delivery = turn.delivery;
        if let starts::Verdict::Copy(count) = history {
            let counting = self.counting.read().await;
            let copying = starts::copy_back(delivery, count, starts::refused, &self.endpoint, stopping);
            match Box::pin(copying).await? {
                Ok(outcome) => return Ok(Ended::of(outcome)),
                Err(back) => delivery = back,
            }
            drop(counting);
            tracing::warn!(
                endpoint = &*self.endpoint.name,
                message_id = delivery.message_id.as_deref(),
                "a queue refused a copy that counts a message's starts: the message is begun uncounted"
            );
        }
        let is_copy = [STARTS, OVERDUE].iter().any(|count| delivery.headers.get(count).is_some());
        if is_copy {
            starts::after_counting(&self.counting, stopping).await?;
        }
        let incoming = Arc::new(Incoming::new(envelope, &delivery, is_copy));
        let outlet = &self.endpoint.outlet;
        let mut receiving =
            Receiving::begin(&outlet.observers, &outlet.clock, &self.endpoint.name, &delivery, Some(&incoming));
        let unreadable = incoming.envelope.unreadable();
        if !unreadable.is_empty() {
            let (endpoint, message_id) = (&*self.endpoint.name, delivery.message_id.as_deref());
            if !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    endpoint,
                    message_id,
                    members = ?unreadable,
                    "members of an envelope cannot be read, and count as absent: told once for each endpoint"
                );
            }
            tracing::debug!(endpoint, message_id, members = ?unreadable, "members of an envelope count as absent");
        }
        let selected = self.select(&incoming.envelope.message_type);
        if selected.is_empty() {
            tracing::warn!(
                endpoint = &*self.endpoint.name,
                message_type = ?incoming.envelope.message_type,
                message_id = incoming.envelope.message_id.map(tracing::field::display),
                "no consumer of the endpoint takes a message: it goes to _skipped"
            );
            let headers = skipped_headers();
            let moving = move_aside(delivery, Aside::Skipped, headers, &self.endpoint, stopping, &mut receiving);
            return Box::pin(moving).await.map(Ended::of);
        }
        if let starts::Verdict::Enough(count) = history {
            let moving = self.enough(delivery, &selected, &incoming, count, stopping, &mut receiving);
            return Box::pin(moving).await.map(Ended::of);
        }
        // Every consumer runs; the first failure is the message's.
        let mut failures = Vec::new();
        for pipeline in selected {
            match pipeline.clone().run(incoming.clone(), self.endpoint.clone(), stopping.clone()).await {
                Ok(()) => {}
                Err(Unfinished::Stopped) => {
                    if let Some(starts) = counted {
                        let count = Count::Starts(starts);
                        let copying = starts::copy_back(delivery, count, starts::refused, &self.endpoint, stopping);
                        return Box::pin(copying).await?.map(Ended::of).map_err(|_released| Stopped);
                    }
                    return Err(Stopped);
                }
                Err(Unfinished::Failed { reason, retries, took }) => {
                    failures.push(Failed { pipeline, reason, retries, took });
                }
            }
        }
        if !failures.is_empty() {
            let failed = self.failed(delivery, &failures, &incoming, stopping, &mut receiving);
            return Box::pin(failed).await.map(Ended::of);
        }
        let settling = delivery.unsettled.settle(Settlement::Complete);
        if !alone {
            drop(place);
        }
        let outcome = settling.await;
        receiving.settled(outcome);
        if outcome != SettleOutcome::Settled {
            tracing::debug!(endpoint = &*self.endpoint.name, ?outcome, "a handled message may be delivered again");
            return Ok(Ended::Handled);
        }
        Ok(Ended::Settled)
    }

    /// Puts a copy in the place of a delivery that is not begun; itself, if that does not succeed at once.
    pub(crate) async fn put_back(&self, turn: Turn, stopping: &Stopping) -> Option<Turn> {
        let counting = self.counting.read().await;
        let count = Count::Starts(starts::starts(&turn));
        let copied = starts::copy_back(turn.delivery, count, |_| true, &self.endpoint, stopping).await;
        drop(counting);
        let delivery = copied.ok()?.err()?;
        Some(Turn { delivery, ..turn })
    }

    /// The consumers of any of the message's types, each once.
    fn select(&self, urns: &[String]) -> Vec<&Arc<dyn Pipeline>> {
        if urns.is_empty() && self.endpoint.raw_json {
            // A foreign producer that names no type means the one that the queue is for.
            return self.pipelines.iter().collect();
        }
        // Nearly every URN is written as ours is.
        let takers = |urn: &String| self.by_urn.get(urn).or_else(|| self.by_urn.get(&urn.to_ascii_lowercase()));
        let mut indexes: Vec<usize> = urns.iter().filter_map(takers).flatten().copied().collect();
        if indexes.len() > 1 {
            indexes.sort_unstable();
            indexes.dedup();
        }
        indexes.into_iter().map(|index| &self.pipelines[index]).collect()
    }
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("endpoint", &self.endpoint.name).finish_non_exhaustive()
    }
}

/// A body that nobody parses: it would cost many times its size, and all of a handler's time.
#[derive(Debug, thiserror::Error)]
#[error("the body has {bytes} bytes, and the endpoint reads at most {limit}: `max_body` of the endpoint says how many")]
struct TooLarge {
    bytes: usize,
    limit: usize,
}

/// The envelope of a delivery. Only an endpoint that was told so takes raw JSON; every other media type,
/// missing and unknown ones too, is read as an envelope (MassTransit's default).
pub(super) fn read(delivery: &Delivery, endpoint: &EndpointContext) -> Result<Envelope, Failure> {
    let (bytes, limit) = (delivery.body.len(), endpoint.max_body);
    if bytes > limit {
        return Err(Failure::permanent(TooLarge { bytes, limit }));
    }
    if is_raw(delivery, endpoint) {
        return Ok(read_raw(delivery));
    }
    Envelope::read(&delivery.body).map_err(Failure::permanent)
}

/// Whether the body is a payload without an envelope.
pub(super) fn is_raw(delivery: &Delivery, endpoint: &EndpointContext) -> bool {
    endpoint.raw_json && media_type(delivery).is_some_and(|media_type| media_type.eq_ignore_ascii_case(RAW))
}

/// The media type without its parameters: the transport's own property, else a header.
fn media_type(delivery: &Delivery) -> Option<&str> {
    let named = delivery.content_type.as_deref();
    let named =
        named.or_else(|| delivery.headers.text("Content-Type")).or_else(|| delivery.headers.text("ContentType"));
    named?.split(';').next().map(str::trim)
}

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use serde_json::value::RawValue;

use super::{
    Classifiers, Concurrency, Invoke, Pipeline, Retry, Timeout, Unfinished,
    confirm::{Unconfirmed, confirm_all},
    filter::{Chain, Filters},
    unit::{Begun, Unit},
};
use crate::{
    Error, Message, MessageType,
    clock::Clock,
    codec,
    consumer::{Context, EndpointContext, Failure, Record, Verdict},
    endpoint::{Backoff, Holding, Stopping, Trouble},
    envelope::Incoming,
    fault::Reason,
    observer::{Event, Handling, Next},
    persistence::Persistence,
};

/// What the built-in filters go by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) retry: Retry,
    pub(crate) classifiers: Classifiers,
    /// Shared by the handlers of one consumer.
    pub(crate) concurrency: Concurrency,
    pub(crate) timeout: Timeout,
    pub(crate) filters: Filters,
    /// Where attempts are made one with what they send.
    pub(crate) store: Option<Arc<dyn Persistence>>,
}

/// The built-in filters around one handler, in their fixed order.
pub(crate) struct Fixed<I> {
    chain: Chain<I>,
    policy: Policy,
    consumer: Arc<str>,
    message: Kind,
}

/// The message type of a handler, erased.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    message_type: &'static MessageType,
    project: fn(&[u8]) -> Option<Box<RawValue>>,
}

impl Kind {
    pub(crate) fn of<M: Message>() -> Self {
        let project = |payload: &[u8]| serde_json::value::to_raw_value(&codec::decode::<M>(payload).ok()?).ok();
        Self { message_type: M::message_type(), project }
    }
}

/// One attempt.
#[derive(Clone, Copy)]
struct Run {
    number: u32,
    /// If anybody wants to know how long it takes.
    begun: Option<Instant>,
}

impl Run {
    fn took(self, clock: &Clock) -> Duration {
        self.begun.map(|begun| clock.now().saturating_duration_since(begun)).unwrap_or_default()
    }
}

/// How a message came to its end at a consumer.
enum Done {
    Now,
    /// It was handled before, and did not run.
    Before,
}

impl<I: Invoke> Fixed<I> {
    pub(crate) fn new(invoke: I, policy: Policy, consumer: Arc<str>, message: Kind) -> Self {
        Self { chain: Chain::new(invoke, &policy.filters), policy, consumer, message }
    }

    async fn attempts(
        &self,
        incoming: Arc<Incoming>,
        endpoint: Arc<EndpointContext>,
        stopping: Stopping,
    ) -> Result<(), Unfinished> {
        let mut retries = 0;
        let mut outage = Backoff::default();
        let mut holding = None::<Holding>;
        let outlet = &endpoint.outlet;
        let handling = || Handling::new(&endpoint.name, &self.consumer, self.message.message_type, &incoming);
        loop {
            // What comes now is an attempt like any other.
            if let Some(holding) = &mut holding {
                holding.try_again();
            }
            let Ok(place) = self.policy.concurrency.place(&outlet.clock, &stopping).await else {
                return Err(Unfinished::Stopped);
            };
            // Without observers time is not read.
            let begun = (!outlet.observers.is_empty()).then(|| outlet.clock.now());
            let run = Run { number: retries, begun };
            let consumed = || Event::Consumed { handling: handling(), attempt: retries, took: run.took(&outlet.clock) };
            let refused = |error: Error| {
                let reason = self.reason(error.into());
                if self.discards(&reason, &incoming, &endpoint, run) { Ok(()) } else { Err(reason) }
            };
            let done = match &self.policy.store {
                None => match self.attempt(&incoming, &endpoint, run).await {
                    Ok(sent) => confirm_all(sent, &refused, &endpoint, &stopping).await.map(|()| Done::Now),
                    Err(reason) => Err(Unconfirmed::Refused(reason)),
                },
                Some(store) => self.in_unit(&**store, &incoming, &endpoint, run, &stopping).await,
            };
            let reason = match done {
                Ok(Done::Now) => {
                    outlet.observers.tell(consumed);
                    return Ok(());
                }
                Ok(Done::Before) => {
                    outlet.observers.tell(|| Event::Duplicate { handling: handling() });
                    return Ok(());
                }
                Err(Unconfirmed::Refused(reason)) => reason,
                Err(Unconfirmed::Stopped) => return Err(Unfinished::Stopped),
            };
            // Others go on while this one pauses.
            drop(place);
            let failed = |next: Next| Event::AttemptFailed {
                handling: handling(),
                attempt: retries,
                took: run.took(&outlet.clock),
                error: &reason.text,
                error_type: reason.error_type,
                next,
            };
            // What the store said may be called that, too.
            if self.discards(&reason, &incoming, &endpoint, run) {
                outlet.observers.tell(consumed);
                return Ok(());
            }
            if reason.infrastructure {
                // The broker's fault is no attempt of the handler: it runs again, uncounted.
                tracing::debug!(
                    endpoint = &*endpoint.name,
                    consumer = &*self.consumer,
                    message_id = incoming.envelope.message_id.map(tracing::field::display),
                    error = reason.text,
                    "a message is held: the broker, or the store, is not reachable; it runs again, uncounted"
                );
                outlet.observers.tell(|| failed(Next::Held));
                endpoint.status.hold(&mut holding, Trouble::Away, reason.text);
                if stopping.or_rest(&outlet.clock, outage.next(&outlet.clock)).await {
                    return Err(Unfinished::Stopped);
                }
                continue;
            }
            // It was reachable.
            holding = None;
            let Some(pause) = self.policy.pause(reason.verdict, retries, &outlet.clock) else {
                return Err(Unfinished::Failed { reason, retries, took: run.took(&outlet.clock) });
            };
            outlet.observers.tell(|| failed(Next::Retry { after: pause }));
            retries += 1;
            tracing::debug!(
                endpoint = &*endpoint.name,
                consumer = &*self.consumer,
                message_id = incoming.envelope.message_id.map(tracing::field::display),
                retries,
                ?pause,
                error = reason.text,
                "a consumer failed: it runs again after the pause"
            );
            // Without a pause a handler that never waits would keep its thread, and miss the stop.
            tokio::task::yield_now().await;
            if stopping.is_signalled() || !pause.is_zero() && stopping.or_rest(&outlet.clock, pause).await {
                return Err(Unfinished::Stopped);
            }
        }
    }

    /// Runs the handler once, as one with what it sends; not at all if it handled the message before.
    async fn in_unit(
        &self,
        store: &dyn Persistence,
        incoming: &Arc<Incoming>,
        endpoint: &Arc<EndpointContext>,
        run: Run,
        stopping: &Stopping,
    ) -> Result<Done, Unconfirmed> {
        // A box, so that those without a store do not carry its size.
        Box::pin(async {
            let unit = Unit::new(store, &self.policy, endpoint, &self.consumer, self.message.message_type, incoming);
            match unit.begin(stopping).await? {
                Begun::Done => Ok(Done::Before),
                Begun::New(work) => {
                    let record = self.attempt(incoming, endpoint, run).await.map_err(Unconfirmed::Refused)?;
                    unit.commit(work, record, stopping).await.map(|()| Done::Now)
                }
            }
        })
        .await
    }

    /// Runs the handler with its filters once; a panic is a failure. Whatever is the user's, errors included, is
    /// asked and dropped inside the catch.
    async fn attempt(
        &self,
        incoming: &Arc<Incoming>,
        endpoint: &Arc<EndpointContext>,
        run: Run,
    ) -> Result<Record, Box<Reason>> {
        let ctx = Context::new(incoming.clone(), endpoint.clone(), run.number, self.policy.store.is_some());
        // Also if the attempt is dropped where it waits.
        let _closing = Closing(&ctx);
        let guarded = async {
            let work = pin!(self.chain.invoke(&ctx).fuse());
            let done = self.policy.timeout.run(&endpoint.outlet.clock, work).await;
            done.map_err(|failure| self.reason(failure))
        };
        let result = AssertUnwindSafe(guarded).catch_unwind().await;
        let result = result.unwrap_or_else(|panic| Err(Reason::panicked(panic, self.policy.judge_panic())));
        let sent = ctx.close();
        match result {
            Ok(()) => Ok(sent),
            Err(mut reason) => {
                reason.infrastructure |= ctx.met_an_outage();
                // Handled, for its sender: what was sent meanwhile is confirmed as after a success.
                if self.discards(&reason, incoming, endpoint, run) { Ok(sent) } else { Err(reason) }
            }
        }
    }

    /// Asks an error of the user's for what it says: inside the catch, like the handler.
    fn reason(&self, failure: Failure) -> Box<Reason> {
        Reason::of(failure, |failure| self.policy.judge(failure))
    }

    /// Whether the failure ends the message without a trace but this line.
    fn discards(&self, reason: &Reason, incoming: &Arc<Incoming>, endpoint: &EndpointContext, run: Run) -> bool {
        let discards = reason.verdict == Verdict::Discard && !reason.infrastructure;
        if discards {
            tracing::info!(
                endpoint = &*endpoint.name,
                consumer = &*self.consumer,
                message_type = self.message.message_type.urn(),
                message_id = incoming.envelope.message_id.map(tracing::field::display),
                error = reason.text,
                "a message is discarded, as its consumer said: it counts as handled"
            );
            let outlet = &endpoint.outlet;
            outlet.observers.tell(|| Event::AttemptFailed {
                handling: Handling::new(&endpoint.name, &self.consumer, self.message.message_type, incoming),
                attempt: run.number,
                took: run.took(&outlet.clock),
                error: &reason.text,
                error_type: reason.error_type,
                next: Next::Discarded,
            });
        }
        discards
    }
}

/// Closes the context of an attempt that is over, however it ends.
struct Closing<'a>(&'a Context);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}

impl<I: Invoke> Pipeline for Fixed<I> {
    fn message_type(&self) -> &'static MessageType {
        self.message.message_type
    }

    fn project(&self, payload: &[u8]) -> Option<Box<RawValue>> {
        // Reading and writing are the user's code.
        let project = self.message.project;
        std::panic::catch_unwind(|| project(payload)).ok().flatten()
    }

    fn consumer(&self) -> &Arc<str> {
        &self.consumer
    }

    fn run(
        self: Arc<Self>,
        incoming: Arc<Incoming>,
        endpoint: Arc<EndpointContext>,
        stopping: Stopping,
    ) -> Pin<Box<dyn Future<Output = Result<(), Unfinished>> + Send>> {
        Box::pin(async move { self.attempts(incoming, endpoint, stopping).await })
    }
}

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
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
    Error, Message, MessageType, codec,
    consumer::{Context, EndpointContext, Failure, Record, Verdict},
    endpoint::{Backoff, Stopping},
    envelope::Incoming,
    fault::Reason,
    observer::{Event, Handling},
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

impl<I: Invoke> Fixed<I> {
    pub(crate) fn new(invoke: I, policy: Policy, consumer: Arc<str>, message: Kind) -> Self {
        Self { chain: Chain::new(invoke, &policy.filters), policy, consumer, message }
    }

    async fn attempts(
        &self,
        incoming: Arc<Incoming>,
        endpoint: Arc<EndpointContext>,
        stopping: Stopping,
    ) -> Result<u32, Unfinished> {
        let mut retries = 0;
        let mut outage = Backoff::default();
        let mut _holding = None;
        let refused = |error: Error| {
            let reason = self.reason(error.into());
            if self.discards(&reason, &incoming, &endpoint) { Ok(()) } else { Err(reason) }
        };
        loop {
            // What comes now is an attempt like any other.
            _holding = None;
            let Ok(place) = self.policy.concurrency.place(&endpoint.outlet.clock, &stopping).await else {
                return Err(Unfinished::Stopped);
            };
            let done = match &self.policy.store {
                None => match self.attempt(&incoming, &endpoint, retries).await {
                    Ok(sent) => confirm_all(sent, &refused, &endpoint, &stopping).await,
                    Err(reason) => Err(Unconfirmed::Refused(reason)),
                },
                Some(store) => self.in_unit(&**store, &incoming, &endpoint, retries, &stopping).await,
            };
            let reason = match done {
                Ok(()) => return Ok(retries),
                Err(Unconfirmed::Refused(reason)) => reason,
                Err(Unconfirmed::Stopped) => return Err(Unfinished::Stopped),
            };
            // Others go on while this one pauses.
            drop(place);
            // What the store said may be called that, too.
            if self.discards(&reason, &incoming, &endpoint) {
                return Ok(retries);
            }
            if reason.infrastructure {
                // The broker's fault is no attempt of the handler: it runs again, uncounted.
                tracing::warn!(
                    endpoint = &*endpoint.name,
                    consumer = &*self.consumer,
                    error = reason.text,
                    "held: the broker, or the store, is not reachable"
                );
                _holding = Some(endpoint.status.hold(reason.text));
                if stopping.or_rest(&endpoint.outlet.clock, outage.next(&endpoint.outlet.clock)).await {
                    return Err(Unfinished::Stopped);
                }
                continue;
            }
            let Some(pause) = self.policy.pause(reason.verdict, retries, &endpoint.outlet.clock) else {
                return Err(Unfinished::Failed { reason, retries });
            };
            endpoint.outlet.observe(|| Event::Failed {
                handling: Handling {
                    endpoint: &endpoint.name,
                    consumer: &self.consumer,
                    message_type: self.message.message_type,
                    incoming: &incoming,
                },
                attempt: retries,
                error: &reason.text,
                error_type: reason.error_type,
                last: false,
            });
            retries += 1;
            tracing::debug!(
                endpoint = &*endpoint.name,
                consumer = &*self.consumer,
                retries,
                error = reason.text,
                "retrying"
            );
            // Without a pause a handler that never waits would keep its thread, and miss the stop.
            tokio::task::yield_now().await;
            if stopping.is_signalled() || !pause.is_zero() && stopping.or_rest(&endpoint.outlet.clock, pause).await {
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
        number: u32,
        stopping: &Stopping,
    ) -> Result<(), Unconfirmed> {
        // A box, so that those without a store do not carry its size.
        Box::pin(async {
            let unit = Unit::new(store, &self.policy, endpoint, &self.consumer, self.message.message_type, incoming);
            match unit.begin(stopping).await? {
                Begun::Done => Ok(()),
                Begun::New(work) => {
                    let record = self.attempt(incoming, endpoint, number).await.map_err(Unconfirmed::Refused)?;
                    unit.commit(work, record, stopping).await
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
        number: u32,
    ) -> Result<Record, Box<Reason>> {
        let ctx = Context::new(incoming.clone(), endpoint.clone(), number, self.policy.store.is_some());
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
                if self.discards(&reason, incoming, endpoint) { Ok(sent) } else { Err(reason) }
            }
        }
    }

    /// Asks an error of the user's for what it says: inside the catch, like the handler.
    fn reason(&self, failure: Failure) -> Box<Reason> {
        Reason::of(failure, |failure| self.policy.judge(failure))
    }

    /// Whether the failure ends the message without a trace but this line.
    fn discards(&self, reason: &Reason, incoming: &Incoming, endpoint: &EndpointContext) -> bool {
        let discards = reason.verdict == Verdict::Discard && !reason.infrastructure;
        if discards {
            tracing::info!(
                endpoint = &*endpoint.name,
                consumer = &*self.consumer,
                message_type = self.message.message_type.urn(),
                message_id = ?incoming.envelope.message_id,
                reason = reason.text,
                "discarded: the message counts as handled"
            );
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
    ) -> Pin<Box<dyn Future<Output = Result<u32, Unfinished>> + Send>> {
        Box::pin(async move { self.attempts(incoming, endpoint, stopping).await })
    }
}

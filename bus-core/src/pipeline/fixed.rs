use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::FutureExt;
use serde_json::value::RawValue;

use super::{
    Concurrency, Invoke, Pipeline, Retry, Timeout, Unfinished,
    filter::{Chain, Filters},
};
use crate::{
    Error, Message, MessageType, codec,
    consumer::{Context, EndpointContext, Record, Sent},
    endpoint::{Backoff, Stopped, Stopping, insist},
    envelope::Incoming,
    fault::Reason,
    transport::PublishOutcome,
};

/// What the built-in filters go by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) retry: Retry,
    /// Shared by the handlers of one consumer.
    pub(crate) concurrency: Concurrency,
    pub(crate) timeout: Timeout,
    pub(crate) filters: Filters,
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
        mut stopping: Stopping,
    ) -> Result<(), Unfinished> {
        let mut retries = 0;
        let mut outage = Backoff::default();
        let mut _holding = None;
        loop {
            let Ok(place) = self.policy.concurrency.place(&mut stopping).await else {
                return Err(Unfinished::Stopped);
            };
            let reason = match self.attempt(&incoming, &endpoint, retries).await {
                Ok(sent) => match confirm_all(sent, &endpoint, &mut stopping).await {
                    Ok(()) => return Ok(()),
                    Err(Unconfirmed::Failed(reason)) => reason,
                    Err(Unconfirmed::Stopped) => return Err(Unfinished::Stopped),
                },
                Err(reason) => reason,
            };
            // Others go on while this one pauses.
            drop(place);
            if reason.infrastructure {
                // The broker's fault is no attempt of the handler: it runs again, uncounted.
                tracing::warn!(
                    endpoint = &*endpoint.name,
                    consumer = &*self.consumer,
                    error = reason.text,
                    "held: the broker is not reachable"
                );
                _holding = Some(endpoint.status.hold(reason.text));
                if stopping.or_sleep(&endpoint.outlet.clock, outage.next()).await {
                    return Err(Unfinished::Stopped);
                }
                continue;
            }
            _holding = None;
            let pause = if reason.retry { self.policy.retry.delay(retries) } else { None };
            let Some(pause) = pause else {
                return Err(Unfinished::Failed { reason, retries });
            };
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
            if stopping.is_signalled() || !pause.is_zero() && stopping.or_sleep(&endpoint.outlet.clock, pause).await {
                return Err(Unfinished::Stopped);
            }
        }
    }

    /// Runs the handler with its filters once; a panic is a failure. Whatever is the user's, errors included, is
    /// asked and dropped inside the catch.
    async fn attempt(
        &self,
        incoming: &Arc<Incoming>,
        endpoint: &Arc<EndpointContext>,
        number: u32,
    ) -> Result<Record, Box<Reason>> {
        let ctx = Context::new(incoming.clone(), endpoint.clone(), number);
        let guarded = async {
            let work = pin!(self.chain.invoke(&ctx).fuse());
            self.policy.timeout.run(&endpoint.outlet.clock, work).await.map_err(Reason::of)
        };
        let result =
            AssertUnwindSafe(guarded).catch_unwind().await.unwrap_or_else(|panic| Err(Reason::panicked(panic)));
        let sent = ctx.close();
        match result {
            Ok(()) => Ok(sent),
            Err(mut reason) => {
                reason.infrastructure |= ctx.met_an_outage();
                Err(reason)
            }
        }
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

enum Unconfirmed {
    Failed(Box<Reason>),
    Stopped,
}

/// Waits until the broker has everything that a successful handler sent. What an outage swallowed is sent
/// again with the same id, without a second run of the handler.
async fn confirm_all(record: Record, endpoint: &EndpointContext, stopping: &mut Stopping) -> Result<(), Unconfirmed> {
    for sent in record.sent {
        confirm(sent, endpoint, stopping).await?;
    }
    for awaited in record.awaited {
        // An error means that its sender had the outcome.
        if let Ok(sent) = awaited.await {
            confirm(sent, endpoint, stopping).await?;
        }
    }
    Ok(())
}

async fn confirm(sent: Sent, endpoint: &EndpointContext, stopping: &mut Stopping) -> Result<(), Unconfirmed> {
    let Sent { message, posted, confirm } = sent;
    let outcome = match confirm.await {
        PublishOutcome::NotSent(_) | PublishOutcome::Unknown(_) => {
            insist(message, endpoint, stopping).await.map_err(|Stopped| Unconfirmed::Stopped)?
        }
        outcome => outcome,
    };
    Error::of_outcome(outcome, || posted).map_err(|error| Unconfirmed::Failed(Reason::of(error.into())))
}

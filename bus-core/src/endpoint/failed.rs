//! What becomes of a message that failed for good: it comes again later, or goes to `_error` and is told of.

use std::{sync::Arc, time::Duration};

use super::{
    Stopped, Stopping,
    dispatch::{Dispatcher, is_raw},
    redelivery::{Round, redeliver},
    starts::Count,
};
use crate::{
    MessageType,
    envelope::Incoming,
    fault::{Aside, Reason, Told, fault_headers, move_aside, tell},
    observer::{Event, Handling, Next, Receiving},
    pipeline::Pipeline,
    transport::{Delivery, SettleOutcome},
};

/// A consumer that the retry policy gave up on.
pub(super) struct Failed<'a> {
    pub(super) pipeline: &'a Arc<dyn Pipeline>,
    pub(super) reason: Box<Reason>,
    pub(super) retries: u32,
    /// How long its last attempt took, if there are observers.
    pub(super) took: Duration,
}

impl Dispatcher {
    /// A message that the retry policy gave up on: it comes again later, or lies in `_error` from now on.
    pub(super) async fn failed(
        &self,
        delivery: Delivery,
        failures: &[Failed<'_>],
        incoming: &Arc<Incoming>,
        stopping: &Stopping,
        receiving: &mut Receiving,
    ) -> Result<SettleOutcome, Stopped> {
        let Some(first) = failures.first() else { return Err(Stopped) };
        let endpoint = &*self.endpoint;
        let reasons = failures.iter().map(|failed| &*failed.reason);
        if let Some(round) = endpoint.redelivery.round(reasons, incoming, endpoint) {
            for failed in failures {
                self.put_off(failed, incoming, round);
            }
            let (is_raw, why) = (is_raw(&delivery, endpoint), &first.reason.text);
            return redeliver(delivery, round, (incoming, is_raw), why, endpoint, stopping, receiving).await;
        }
        for failed in failures {
            self.give_up(failed, incoming, stopping).await?;
        }
        let consumer = Some((&**first.pipeline.consumer(), first.pipeline.message_type()));
        let headers = fault_headers(&first.reason, (first.retries, incoming.redeliveries()), consumer, endpoint);
        move_aside(delivery, Aside::Error, headers, endpoint, stopping, receiving).await
    }

    fn put_off(&self, failed: &Failed<'_>, incoming: &Arc<Incoming>, round: Round) {
        let Failed { pipeline, reason, retries, .. } = failed;
        tracing::warn!(
            endpoint = &*self.endpoint.name,
            consumer = &**pipeline.consumer(),
            message_type = pipeline.message_type().urn(),
            message_id = incoming.envelope.message_id.map(tracing::field::display),
            retries,
            round = round.number,
            delay = ?round.delay,
            error = reason.text,
            "a consumer failed: the message comes again later"
        );
        self.attempt_failed(failed, incoming, Next::Redeliver { after: round.delay, round: round.number });
    }

    /// Tells observers of the last attempt, now that it is known what comes next.
    fn attempt_failed(&self, failed: &Failed<'_>, incoming: &Arc<Incoming>, next: Next) {
        let Failed { pipeline, reason, retries, took } = failed;
        let endpoint = &*self.endpoint;
        endpoint.outlet.observers.tell(|| Event::AttemptFailed {
            handling: Handling::new(&endpoint.name, pipeline.consumer(), pipeline.message_type(), incoming),
            attempt: *retries,
            took: *took,
            error: &reason.text,
            error_type: reason.error_type,
            next,
        });
    }

    async fn give_up(&self, failed: &Failed<'_>, incoming: &Arc<Incoming>, stopping: &Stopping) -> Result<(), Stopped> {
        let Failed { pipeline, reason, retries, .. } = failed;
        tracing::error!(
            endpoint = &*self.endpoint.name,
            consumer = &**pipeline.consumer(),
            message_type = pipeline.message_type().urn(),
            message_id = incoming.envelope.message_id.map(tracing::field::display),
            retries,
            error = reason.text,
            "a consumer failed for good: the message goes to _error"
        );
        self.attempt_failed(failed, incoming, Next::Error);
        let told = Told {
            fault_type: pipeline.message_type().fault(),
            reason,
            retries: *retries,
            incoming: Some(incoming),
            message: pipeline.project(&incoming.envelope.message),
            content_type: None,
        };
        tell(told, &self.endpoint, stopping).await
    }

    /// A message that was begun too often and did not come to its end.
    pub(super) async fn enough(
        &self,
        delivery: Delivery,
        pipelines: &[&Arc<dyn Pipeline>],
        incoming: &Arc<Incoming>,
        count: Count,
        stopping: &Stopping,
        receiving: &mut Receiving,
    ) -> Result<SettleOutcome, Stopped> {
        let reason = match count {
            Count::Starts(starts) => Reason::said(
                "bus::ProcessEnded",
                format!("it ended the process: {starts} times a process that may have begun it ended before it did"),
            ),
            Count::Overdue(times) => Reason::said(
                "bus::Overdue",
                format!(
                    "its handler took longer than the broker waits: {times} times it was cancelled; give it a shorter \
                     `.timeout(..)`, or have the broker wait longer"
                ),
            ),
        };
        for pipeline in pipelines {
            let failed = Failed { pipeline, reason: reason.clone(), retries: 0, took: Duration::ZERO };
            self.give_up(&failed, incoming, stopping).await?;
        }
        let consumer = pipelines.first().map(|pipeline| (&**pipeline.consumer(), pipeline.message_type()));
        let headers = fault_headers(&reason, (0, incoming.redeliveries()), consumer, &self.endpoint);
        move_aside(delivery, Aside::Error, headers, &self.endpoint, stopping, receiving).await
    }

    pub(super) async fn unreadable(
        &self,
        delivery: Delivery,
        reason: Box<Reason>,
        stopping: &Stopping,
    ) -> Result<SettleOutcome, Stopped> {
        let outlet = &self.endpoint.outlet;
        let mut receiving = Receiving::begin(&outlet.observers, &outlet.clock, &self.endpoint.name, &delivery, None);
        tracing::error!(
            endpoint = &*self.endpoint.name,
            message_id = delivery.message_id.as_deref(),
            content_type = delivery.content_type.as_deref(),
            error = reason.text,
            "a body could not be read: the message goes to _error"
        );
        let told = Told {
            fault_type: MessageType::receive_fault(),
            reason: &reason,
            retries: 0,
            incoming: None,
            message: None,
            content_type: delivery.content_type.as_deref(),
        };
        tell(told, &self.endpoint, stopping).await?;
        let headers = fault_headers(&reason, (0, 0), None, &self.endpoint);
        move_aside(delivery, Aside::Error, headers, &self.endpoint, stopping, &mut receiving).await
    }
}

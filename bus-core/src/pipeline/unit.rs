use std::{pin::pin, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Policy, confirm::Unconfirmed};
use crate::{
    MessageType,
    address::Destination,
    consumer::{Buffered, EndpointContext, Failure, Record},
    endpoint::{Backoff, Stopped, Stopping, insist},
    envelope::Incoming,
    fault::{Reason, fault_headers},
    observer::Event,
    persistence::{Claim, InboxKey, Persistence, PersistenceError, UnitOfWork},
    transport::{Class, EnsureQueue, Outgoing, PublishOutcome},
};

/// One attempt and what a store has of it.
pub(super) struct Unit<'a> {
    pub(super) store: &'a dyn Persistence,
    /// Judges what the store refuses, as it judges what the handler does.
    policy: &'a Policy,
    pub(super) endpoint: &'a EndpointContext,
    pub(super) consumer: &'a Arc<str>,
    pub(super) message_type: &'static MessageType,
    /// A message without an id cannot be told from another one: it is handled whenever it comes.
    key: Option<InboxKey>,
}

/// What is to be done with a message.
pub(super) enum Begun {
    /// Handle it, and commit that.
    New(Box<dyn UnitOfWork>),
    /// It was handled before.
    Done,
}

/// A store that has not answered by then shows in health until it does.
const SILENCE: Duration = Duration::from_secs(5);

impl<'a> Unit<'a> {
    pub(super) fn new(
        store: &'a dyn Persistence,
        policy: &'a Policy,
        endpoint: &'a EndpointContext,
        consumer: &'a Arc<str>,
        message_type: &'static MessageType,
        incoming: &Incoming,
    ) -> Self {
        let key = message_id(incoming).map(|message_id| InboxKey {
            endpoint: endpoint.name.clone(),
            consumer: consumer.clone(),
            message_id,
        });
        Self { store, policy, endpoint, consumer, message_type, key }
    }

    /// Begins the unit of work and claims the message; what an earlier one did not get rid of leaves now.
    pub(super) async fn begin(&self, stopping: &Stopping) -> Result<Begun, Unconfirmed> {
        let begun = async {
            let mut unit = self.answer("to begin a unit of work", self.store.begin()).await?;
            let claim = match &self.key {
                // It may wait for another unit that has the message, however long that one takes.
                Some(key) => unit.claim(key).await?,
                None => Claim::New,
            };
            Ok((claim, unit))
        };
        // A store that does not answer, or another unit that has the message, does not hold up a stop.
        let begun: Result<_, PersistenceError> = tokio::select! {
            biased;
            () = stopping.signalled() => return Err(Unconfirmed::Stopped),
            begun = begun => begun,
        };
        match begun.map_err(|error| self.refused(error))? {
            (Claim::New, unit) => Ok(Begun::New(unit)),
            (Claim::Done { unsent }, unit) => {
                drop(unit);
                tracing::info!(
                    endpoint = &*self.endpoint.name,
                    consumer = &**self.consumer,
                    message_type = self.message_type.urn(),
                    message_id = ?self.key.as_ref().map(|key| key.message_id),
                    unsent = unsent.len(),
                    "a message came again that was handled before: not handled a second time"
                );
                self.send(unsent, stopping).await?;
                Ok(Begun::Done)
            }
        }
    }

    /// Makes what the handler did one with what it sent. From then on it is not run again for this message.
    pub(super) async fn commit(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        record: Record,
        stopping: &Stopping,
    ) -> Result<(), Unconfirmed> {
        let mut messages = Vec::with_capacity(record.buffered.len());
        messages.extend(record.buffered.iter().map(|buffered| buffered.message.clone()));
        if !messages.is_empty() {
            let appended = self.answer("to keep what a handler sent", unit.append(&messages)).await;
            appended.map_err(|error| self.refused(error))?;
        }
        self.answer("to commit", unit.commit()).await.map_err(|error| self.refused(error))?;
        for Buffered { message, posted, message_type, published } in &record.buffered {
            self.endpoint.outlet.observe(|| Event::Sent {
                published: *published,
                message_type,
                message,
                address: &posted.address,
                by: Some(&self.endpoint.name),
            });
        }
        self.send(messages, stopping).await
    }

    /// Sends what was committed, until the broker has all of it.
    async fn send(&self, messages: Vec<Outgoing>, stopping: &Stopping) -> Result<(), Unconfirmed> {
        let any = !messages.is_empty();
        let outlet = &self.endpoint.outlet;
        let mut sent = Vec::with_capacity(messages.len());
        for mut message in messages {
            message.deadline = outlet.clock.after(outlet.timeout);
            let permit = tokio::select! {
                biased;
                permit = outlet.publisher().ready(message.body.len(), Class::Handler) => permit,
                () = stopping.signalled() => return Err(Unconfirmed::Stopped),
            };
            let confirm = outlet.publisher().submit(permit, message.clone());
            sent.push((message, confirm));
        }
        for (message, confirm) in sent {
            let outcome = match confirm.await {
                PublishOutcome::NotSent(_) | PublishOutcome::Unknown(_) => {
                    insist(message.clone(), self.endpoint, stopping).await.map_err(|Stopped| Unconfirmed::Stopped)?
                }
                outcome => outcome,
            };
            if !matches!(outcome, PublishOutcome::Confirmed) {
                self.keep(message, &outcome, stopping).await?;
            }
        }
        if any && let Some(key) = &self.key {
            // If the store cannot note it, they may be sent once more. One that does not answer holds up no stop.
            let noted = tokio::select! {
                biased;
                noted = self.answer("to note what was sent", self.store.delivered(key)) => noted,
                () = stopping.signalled() => Err(PersistenceError::Unavailable("the endpoint stopped first".into())),
            };
            if let Err(error) = noted {
                tracing::warn!(
                    endpoint = &*self.endpoint.name,
                    message_id = %key.message_id,
                    error = Failure::from(error).chain(),
                    "not noted as sent"
                );
            }
        }
        Ok(())
    }

    /// Waits for the store's answer, as long as it takes.
    async fn answer<T>(&self, asked: &str, answer: impl Future<Output = T>) -> T {
        let (mut answer, clock) = (pin!(answer), &self.endpoint.outlet.clock);
        if let Ok(answer) = clock.by(clock.after(SILENCE), answer.as_mut()).await {
            return answer;
        }
        let why = format!("the store has not answered when asked {asked}");
        tracing::warn!(endpoint = &*self.endpoint.name, consumer = &**self.consumer, "{why}: waiting for it");
        let _holding = self.endpoint.status.hold(why);
        answer.await
    }

    fn refused(&self, error: PersistenceError) -> Unconfirmed {
        Unconfirmed::Refused(Reason::of(error.into(), |failure| self.policy.judge(failure)))
    }

    /// A message that was committed and that the broker does not take: a person finds it in `_error`, with the
    /// reason. The handler is done, and cannot be asked.
    async fn keep(&self, message: Outgoing, outcome: &PublishOutcome, stopping: &Stopping) -> Result<(), Unconfirmed> {
        let why = match outcome {
            PublishOutcome::Rejected(reason) => format!("the broker refused it: {reason}"),
            _ => "it reaches no queue".to_owned(),
        };
        let text = format!("sent by {} to {}, and {why}", self.consumer, message.to);
        tracing::error!(endpoint = &*self.endpoint.name, message_id = message.message_id.as_deref(), error = text);
        let reason = Reason::said("bus::Undeliverable", text);
        let mut copy = message;
        copy.to = Destination::Queue(format!("{}_error", self.endpoint.name).into());
        for (name, value) in fault_headers(&reason, (0, 0), None, self.endpoint).iter() {
            copy.headers.set(name.to_owned(), value.clone());
        }
        copy.extensions.insert(EnsureQueue { like: self.endpoint.name.clone() });
        copy.mandatory = true;
        (copy.time_to_live, copy.delay, copy.lane) = (None, None, None);
        let clock = &self.endpoint.outlet.clock;
        let mut pauses = Backoff::default();
        loop {
            match insist(copy.clone(), self.endpoint, stopping).await.map_err(|Stopped| Unconfirmed::Stopped)? {
                PublishOutcome::Confirmed => return Ok(()),
                _ => {
                    let _holding = self.endpoint.status.hold(reason.text.clone());
                    if stopping.or_rest(clock, pauses.next(clock)).await {
                        return Err(Unconfirmed::Stopped);
                    }
                }
            }
        }
    }
}

/// The id that stays the same when a message is sent again by a scheduler, which gives it another one.
fn message_id(incoming: &Incoming) -> Option<Uuid> {
    let original = incoming.headers().get("MT-OriginalMessageId").and_then(|id| id.as_str()?.parse().ok());
    original.or(incoming.envelope.message_id)
}

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll, ready},
    time::Instant,
};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::Outlet;
use crate::{
    Error, MessageType,
    consumer::{Attempt, Buffered, Sent},
    error::Posted,
    observer::{Departure, Sending, Watched},
    transport::{Class, Outgoing, Permit, PublishOutcome, Reserve},
};

/// The future of an [`Outbound`](super::Outbound).
pub struct Transmit<'a> {
    step: Step<'a>,
    /// What it is part of, in a handler.
    attempt: Option<&'a Attempt>,
}

enum Step<'a> {
    Failed(Option<Error>),
    Start(Box<Parcel<'a>>),
    /// The window is full; rare, so it may cost a box.
    Waiting(Pin<Box<dyn Future<Output = Submitted<'a>> + Send + 'a>>),
    Confirming(Confirming<'a>),
    Done,
}

/// A message that its sender waits for.
struct Confirming<'a> {
    confirm: Watched,
    posted: Posted,
    part: Option<Box<Part<'a>>>,
}

/// What a handler's message is part of.
struct Part<'a> {
    attempt: &'a Attempt,
    /// To send it again.
    message: Outgoing,
    /// To the attempt, which waits as long as this is not dropped.
    back: oneshot::Sender<Sent>,
}

/// Handed over; with the confirm, if its sender waits for it.
type Submitted<'a> = Result<Option<Confirming<'a>>, Error>;

/// A message that is written and not handed over.
pub(super) struct Parcel<'a> {
    pub(super) outlet: &'a Arc<Outlet>,
    pub(super) attempt: Option<&'a Attempt>,
    pub(super) message: Outgoing,
    pub(super) posted: Posted,
    /// Its sender waits for the broker.
    pub(super) confirmed: bool,
    pub(super) message_type: &'static MessageType,
    /// Else it goes to one address.
    pub(super) published: bool,
    pub(super) correlation_id: Option<Uuid>,
    pub(super) conversation_id: Uuid,
}

impl<'a> Transmit<'a> {
    pub(super) fn new(parcel: Result<Parcel<'a>, Error>) -> Self {
        let attempt = parcel.as_ref().ok().and_then(|parcel| parcel.attempt);
        let step = match parcel {
            Ok(parcel) => Step::Start(Box::new(parcel)),
            Err(error) => Step::Failed(Some(error)),
        };
        Self { step, attempt }
    }
}

impl<'a> Parcel<'a> {
    fn class(&self) -> Class {
        if self.attempt.is_some() { Class::Handler } else { Class::Application }
    }

    /// Hands the message over; the confirm, if its sender waits for it.
    fn submit(self, permit: Permit) -> Submitted<'a> {
        let mut sending = self.sending();
        let Self { outlet, attempt, message, posted, confirmed, .. } = self;
        let Some(attempt) = attempt else {
            let copy = sending.is_observed().then(|| message.clone());
            let confirm = outlet.publisher().submit(permit, message);
            if let Some(message) = &copy {
                sending.begin(message);
            }
            return Ok(Some(Confirming { confirm: sending.watch(confirm), posted, part: None }));
        };
        if !confirmed {
            return attempt.submit(permit, message, posted, sending).map(|()| None);
        }
        let (confirm, back) = attempt.submit_confirmed(permit, message.clone(), sending)?;
        let part = Some(Box::new(Part { attempt, message, back }));
        Ok(Some(Confirming { confirm, posted, part }))
    }

    /// What observers are told of it.
    fn sending(&self) -> Sending {
        Sending::new(&self.outlet.observers, &self.outlet.clock, || Departure {
            published: self.published,
            message_type: self.message_type,
            address: self.posted.address.clone(),
            message_id: self.posted.message_id,
            correlation_id: self.correlation_id,
            conversation_id: self.conversation_id,
            endpoint: self.attempt.map(Attempt::endpoint).cloned(),
            bytes: self.message.body.len(),
        })
    }
}

impl Future for Transmit<'_> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        loop {
            let submitted = match &mut self.step {
                Step::Failed(error) => {
                    let error = error.take();
                    self.step = Step::Done;
                    return error.map_or(Poll::Pending, |error| Poll::Ready(Err(error)));
                }
                Step::Done => return Poll::Pending,
                Step::Confirming(confirming) => {
                    let outcome = ready!(Pin::new(&mut confirming.confirm).poll(cx));
                    let Step::Confirming(confirming) = std::mem::replace(&mut self.step, Step::Done) else {
                        return Poll::Pending;
                    };
                    let Confirming { posted, part, mut confirm } = confirming;
                    confirm.sending.end(&outcome);
                    let result = Error::of_outcome(outcome, || posted);
                    if let (Err(error), Some(part)) = (&result, part)
                        && error.is_infrastructure()
                    {
                        part.attempt.meet_an_outage();
                    }
                    return Poll::Ready(result);
                }
                Step::Waiting(turn) => ready!(turn.as_mut().poll(cx)),
                Step::Start(_) => {
                    let Step::Start(parcel) = std::mem::replace(&mut self.step, Step::Done) else {
                        return Poll::Pending;
                    };
                    if let Some(attempt) = parcel.attempt.filter(|attempt| attempt.has_outbox()) {
                        let sending = parcel.sending();
                        let Parcel { message, posted, .. } = *parcel;
                        return Poll::Ready(attempt.buffer(Buffered { message, posted, sending }));
                    }
                    let mut room = parcel.outlet.publisher().ready(parcel.message.body.len(), parcel.class());
                    match Pin::new(&mut room).poll(cx) {
                        Poll::Ready(permit) => parcel.submit(permit),
                        Poll::Pending => {
                            self.step = Step::Waiting(Box::pin(wait(*parcel, room)));
                            continue;
                        }
                    }
                }
            };
            self.step = match submitted {
                Ok(Some(confirming)) => Step::Confirming(confirming),
                Ok(None) => {
                    self.step = Step::Done;
                    return Poll::Ready(Ok(()));
                }
                Err(error) => Step::Failed(Some(error)),
            };
        }
    }
}

impl Drop for Transmit<'_> {
    /// A handler that stops waiting for a confirm does not make the message's acknowledgement wait less. If it
    /// waited for a broker that is away, what becomes of it is no fault of its own.
    fn drop(&mut self) {
        if let (Step::Waiting(_) | Step::Confirming(_), Some(attempt)) = (&self.step, self.attempt) {
            attempt.give_up_a_send();
        }
        if let Step::Confirming(Confirming { confirm, posted, part: Some(part) }) =
            std::mem::replace(&mut self.step, Step::Done)
        {
            let Part { message, back, .. } = *part;
            // The attempt may have failed meanwhile, and then nobody waits.
            let _ = back.send(Sent { message, posted, confirm });
        }
    }
}

async fn wait(parcel: Parcel<'_>, room: Reserve) -> Submitted<'_> {
    let deadline: Instant = parcel.message.deadline;
    match parcel.outlet.clock.by(deadline, room).await {
        Ok(permit) => parcel.submit(permit),
        Err(_) => {
            if let Some(attempt) = parcel.attempt {
                attempt.meet_an_outage();
            }
            let reason = "the window of unconfirmed messages stayed full until the deadline".into();
            let outcome = PublishOutcome::NotSent(reason);
            parcel.sending().end(&outcome);
            Error::of_outcome(outcome, || parcel.posted).map(|()| None)
        }
    }
}

impl fmt::Debug for Transmit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transmit")
    }
}

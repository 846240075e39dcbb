use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll, ready},
    time::Instant,
};

use tokio::sync::oneshot;

use super::Outlet;
use crate::{
    Error, MessageType,
    consumer::{Attempt, Buffered, Sent},
    error::Posted,
    observer::Event,
    transport::{Class, Confirm, Outgoing, Permit, PublishOutcome, Reserve},
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
    confirm: Confirm,
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
        let observed = self.outlet.observer.is_some().then(|| (self.message.clone(), self.posted.address.clone()));
        let Self { outlet, attempt, message, posted, confirmed, message_type, published } = self;
        let submitted = match attempt {
            None => {
                let confirm = outlet.publisher().submit(permit, message);
                Ok(Some(Confirming { confirm, posted, part: None }))
            }
            Some(attempt) if confirmed => attempt.submit_confirmed(permit, message.clone()).map(|(confirm, back)| {
                let part = Some(Box::new(Part { attempt, message, back }));
                Some(Confirming { confirm, posted, part })
            }),
            Some(attempt) => attempt.submit(permit, message, posted).map(|()| None),
        };
        if let (Some((message, address)), Ok(_), Some(observer)) = (&observed, &submitted, &outlet.observer) {
            let by = attempt.map(Attempt::endpoint);
            observer.observe(Event::Sent { published, message_type, message, address, by });
        }
        submitted
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
                    let Confirming { posted, part, .. } = confirming;
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
                        let Parcel { message, posted, message_type, published, .. } = *parcel;
                        let buffered = Buffered { message, posted, message_type, published };
                        return Poll::Ready(attempt.buffer(buffered));
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
            Error::of_outcome(PublishOutcome::NotSent(reason), || parcel.posted).map(|()| None)
        }
    }
}

impl fmt::Debug for Transmit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transmit")
    }
}

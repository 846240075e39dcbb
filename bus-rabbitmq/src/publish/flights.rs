//! Publishes that lapin has and the broker did not confirm yet.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered, task::AtomicWaker};
use lapin::{Channel, Confirmation, types::AMQPValue};

use super::returns::Carried;
use crate::{encode::Publication, headers::SEQUENCE};

type Flight = Pin<Box<dyn Future<Output = Landing> + Send>>;

/// The end of a publish.
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) sequence: u64,
    pub(crate) result: lapin::Result<Answer>,
}

/// What the broker said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// It has the message, or would have if any queue wanted it.
    pub(crate) ack: bool,
    pub(crate) carried: Carried,
}

#[derive(Default)]
pub(crate) struct Flights {
    flying: FuturesUnordered<Flight>,
    woken: Arc<Woken>,
}

impl Flights {
    /// Hands a message to lapin. Its frames are queued when this returns, so order of calls is order of
    /// sending; the future may be dropped then, and lapin sends it all the same.
    pub(crate) fn launch(&mut self, channel: &Channel, sequence: u64, publication: Publication, body: Bytes) {
        let channel = channel.clone();
        let mut flight: Flight = Box::pin(async move {
            let Publication { exchange, routing_key, options, properties } = publication;
            let result = async {
                channel.basic_publish(exchange, routing_key, options, &body, properties).await?.await.map(answer)
            };
            let result = result.await;
            Landing { sequence, result }
        });
        match flight.as_mut().now_or_never() {
            Some(landing) => self.flying.push(Box::pin(std::future::ready(landing))),
            None => self.flying.push(flight),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.flying.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    /// Waits for landings, and appends every one that lapin completed so far.
    ///
    /// That it is every one is what [`super::returns`] rests on. `FuturesUnordered` may stop early to be fair
    /// to others; then it wakes its task itself, and is polled on.
    pub(crate) async fn landed(&mut self, into: &mut Vec<Landing>) {
        let waker = Waker::from(self.woken.clone());
        poll_fn(|cx| {
            self.woken.task.register(cx.waker());
            let before = into.len();
            loop {
                self.woken.again.store(false, Ordering::SeqCst);
                match self.flying.poll_next_unpin(&mut Context::from_waker(&waker)) {
                    Poll::Ready(Some(landing)) => into.push(landing),
                    Poll::Pending if self.woken.again.load(Ordering::SeqCst) => {}
                    Poll::Ready(None) | Poll::Pending => break,
                }
            }
            if into.len() == before { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}

/// Tells a poll that found nothing from one that stopped early.
#[derive(Default)]
struct Woken {
    again: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.task.wake();
    }
}

fn answer(confirmation: Confirmation) -> Answer {
    let ack = !confirmation.is_nack();
    let carried = match confirmation.take_message() {
        None => Carried::Nothing,
        Some(returned) => Carried::Return(returned.delivery.properties.headers().as_ref().and_then(|headers| {
            match headers.inner().get(SEQUENCE)? {
                AMQPValue::LongLongInt(sequence) => Some(sequence.cast_unsigned()),
                _ => None,
            }
        })),
    };
    Answer { ack, carried }
}

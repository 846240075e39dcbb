//! The settlements of one life of a subscription.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Instant};

use bus_core::transport::{Completer, SettleOutcome, Settlement};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicNackOptions},
};

use super::ack_book::{AckBook, Frame};

type Sent = Pin<Box<dyn Future<Output = (Vec<Completer<SettleOutcome>>, lapin::Result<()>)> + Send>>;

/// Sends acknowledgements on a channel, few for many, and tells when they are written.
pub(crate) struct Settlements {
    channel: Channel,
    book: AckBook,
    /// Finished, and not sent.
    waiting: BTreeMap<u64, Completer<SettleOutcome>>,
    sending: FuturesUnordered<Sent>,
    frames: Vec<Frame>,
    /// What is released stays with the channel.
    keeping: bool,
}

impl Settlements {
    pub(crate) fn new(channel: Channel, prefetch: u16) -> Self {
        Self {
            channel,
            book: AckBook::new(prefetch),
            waiting: BTreeMap::new(),
            sending: FuturesUnordered::new(),
            frames: Vec::new(),
            keeping: false,
        }
    }

    /// From now on what is released goes back when the channel is closed, all at once and in its order.
    pub(crate) fn keep_released(&mut self) {
        self.keeping = true;
    }

    /// Takes a settlement. Copies in one step are not for this broker: those deliveries go back.
    pub(crate) fn take(
        &mut self,
        tag: u64,
        settlement: &Settlement,
        completer: Completer<SettleOutcome>,
        now: Instant,
    ) {
        match settlement {
            Settlement::Complete => {
                if self.book.complete(tag, now) {
                    self.waiting.insert(tag, completer);
                }
            }
            _ if self.keeping => completer.complete(SettleOutcome::Settled),
            _ => {
                if let Some(frame) = self.book.release(tag) {
                    self.send(frame, vec![completer]);
                }
            }
        }
    }

    /// When to flush at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.book.due()
    }

    /// Sends what is due; everything if `now` is none.
    pub(crate) fn flush(&mut self, now: Option<Instant>) {
        let mut frames = std::mem::take(&mut self.frames);
        self.book.flush(now, &mut frames);
        for frame in frames.drain(..) {
            let told = match frame {
                Frame::Ack(tag) | Frame::Release(tag) => self.waiting.remove(&tag).into_iter().collect(),
                Frame::AckUpTo(tag) => {
                    let above = self.waiting.split_off(&(tag + 1));
                    std::mem::replace(&mut self.waiting, above).into_values().collect()
                }
            };
            self.send(frame, told);
        }
        self.frames = frames;
    }

    /// Queues the frame with lapin before it returns: their order is part of what makes them valid.
    fn send(&mut self, frame: Frame, told: Vec<Completer<SettleOutcome>>) {
        let channel = self.channel.clone();
        let mut sent: Sent = Box::pin(async move {
            let result = match frame {
                Frame::Ack(tag) => channel.basic_ack(tag, BasicAckOptions { multiple: false }).await,
                Frame::AckUpTo(tag) => channel.basic_ack(tag, BasicAckOptions { multiple: true }).await,
                Frame::Release(tag) => {
                    channel.basic_nack(tag, BasicNackOptions { multiple: false, requeue: true }).await
                }
            };
            (told, result)
        });
        match sent.as_mut().now_or_never() {
            Some((told, result)) => tell(told, &result),
            None => self.sending.push(sent),
        }
    }

    pub(crate) fn is_sending(&self) -> bool {
        !self.sending.is_empty()
    }

    /// Waits until a frame is written, and tells so.
    pub(crate) async fn sent(&mut self) {
        if let Some((told, result)) = self.sending.next().await {
            tell(told, &result);
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }
}

fn tell(told: Vec<Completer<SettleOutcome>>, result: &lapin::Result<()>) {
    for completer in told {
        completer.complete(if result.is_ok() { SettleOutcome::Settled } else { SettleOutcome::Unknown });
    }
}

//! A subscription that looks well, and to which nothing comes.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use lapin::{
    Channel,
    options::QueueDeclareOptions,
    types::{FieldTable, ShortString},
};

use crate::refusal::{Kind, Refusal};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(60);

type Asked = Pin<Box<dyn Future<Output = lapin::Result<u32>> + Send>>;

/// Asks the broker, while nothing comes, how many messages lie ready: if there are some twice in a row, it forgot us.
/// RabbitMQ 3.10 does when a quorum queue is deleted and there again before the channels that consume from it heard of
/// the deletion: it throws away what the new one delivers to them, without a `basic.cancel`.
pub(super) struct Watchdog {
    queue: ShortString,
    due: Instant,
    /// How many deliveries there were when it looked last.
    delivered: usize,
    /// Messages lay ready then.
    lay_ready: bool,
    asked: Option<Asked>,
}

impl Watchdog {
    pub(super) fn new(queue: ShortString, now: Instant) -> Self {
        Self { queue, due: now + LOOK, delivered: 0, lay_ready: false, asked: None }
    }

    /// When to look again.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Looks: at a subscription that got `delivered` messages so far, and holds none of them if it is `idle`.
    ///
    /// # Errors
    /// The last question was not answered.
    pub(super) fn look(
        &mut self,
        now: Instant,
        delivered: usize,
        idle: bool,
        channel: &Channel,
    ) -> Result<(), Refusal> {
        self.due = now + LOOK;
        let moved = std::mem::replace(&mut self.delivered, delivered) != delivered || !idle;
        self.lay_ready &= !moved;
        if self.asked.is_some() {
            let words = format!("the queue has not answered for {} s", LOOK.as_secs());
            return Err(Refusal::new(Kind::Channel, words));
        }
        if !moved {
            let (channel, queue) = (channel.clone(), self.queue.clone());
            self.asked = Some(Box::pin(async move {
                let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
                let declared = channel.queue_declare(queue, passive, FieldTable::default()).await?;
                Ok(declared.message_count())
            }));
        }
        Ok(())
    }

    pub(super) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// Waits for the answer, if there is a question.
    ///
    /// # Errors
    /// The broker forgot this subscription.
    pub(super) async fn answer(&mut self) -> Result<(), Refusal> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        let answer = asked.await;
        self.asked = None;
        // An error has closed the channel, which tells it.
        let ready = answer.unwrap_or_default();
        if std::mem::replace(&mut self.lay_ready, ready > 0) && ready > 0 {
            let words = format!("{ready} messages are ready in the queue, and none has come for {} s", LOOK.as_secs());
            return Err(Refusal::new(Kind::Channel, words));
        }
        Ok(())
    }
}

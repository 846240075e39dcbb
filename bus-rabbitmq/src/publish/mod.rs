//! The way out: one confirm channel, everything pipelined, every message kept until the broker answered.

mod channel;
mod entry;
mod flights;
mod landing;
mod line;
mod needs;
mod returns;
mod sweep;
mod worker;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bus_core::{
    clock::Clock,
    topology::Topology,
    transport::{Confirm, Outgoing, Pending, Permit, PublishOutcome, Publisher, Window, WindowLimits},
};
use tokio::sync::{mpsc, oneshot};

pub(crate) use worker::Worker;

use crate::encode;

/// What the worker is told.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are the large one")]
pub(crate) enum Command {
    Publish(entry::Entry),
    /// What publishing to a topic needs.
    Announce(Arc<str>, Arc<Topology>),
    /// An exchange that is not ours to make.
    Leave(Arc<str>),
    /// Answer when nothing is under way any more.
    Drain(oneshot::Sender<()>),
    /// Give up on what is left.
    GiveUp,
}

/// Hands messages to the worker on the connection's thread.
#[derive(Debug)]
pub(crate) struct Outbound {
    window: Arc<Window>,
    commands: mpsc::UnboundedSender<Command>,
    /// The exchanges that are not ours to make.
    left: Mutex<HashSet<Arc<str>>>,
}

impl Outbound {
    /// The handle, and what the worker reads. The queue between them is bounded by the window's permits.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (commands, received) = mpsc::unbounded_channel();
        let window = Arc::new(Window::new(WindowLimits::default()));
        (Self { window, commands, left: Mutex::default() }, received)
    }

    /// Sends to that exchange without making it, unless it is announced.
    pub(crate) fn leave(&self, exchange: &Arc<str>) {
        if self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(exchange.clone()) {
            // The worker may have ended with the transport.
            let _ = self.commands.send(Command::Leave(exchange.clone()));
        }
    }

    /// Waits for what is under way until the deadline, then gives up on the rest.
    pub(crate) async fn close(&self, clock: &Clock, deadline: Instant) {
        let (drained, done) = oneshot::channel();
        if self.commands.send(Command::Drain(drained)).is_ok() {
            // Late or gone: there is nothing more to wait for.
            let _ = clock.by(deadline, done).await;
            let _ = self.commands.send(Command::GiveUp);
        }
    }
}

impl Publisher for Outbound {
    fn window(&self) -> &Arc<Window> {
        &self.window
    }

    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>) {
        // The worker may have ended with the transport.
        let _ = self.commands.send(Command::Announce(topic.clone(), needs));
    }

    fn submit(&self, permit: Permit, message: Outgoing) -> Confirm {
        let headers = match encode::validate(&message) {
            Ok(headers) => headers,
            Err(reason) => return Pending::ready(PublishOutcome::Rejected(reason)),
        };
        let (completer, confirm) = Pending::new();
        let entry = entry::Entry::new(message, headers, completer, permit);
        if self.commands.send(Command::Publish(entry)).is_err() {
            return Pending::ready(PublishOutcome::NotSent("the transport is closed".into()));
        }
        confirm
    }
}

use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};

use bus_core::transport::{Event, Receiver, ReceiverSettings, Transport};

use super::settler;
use crate::{subscriptions::Subscription, world::World};

#[derive(Debug)]
pub(super) struct SimulatedReceiver {
    transport: Arc<dyn Transport>,
    settings: ReceiverSettings,
    /// Nothing while the subscription is lost.
    inner: Option<Box<dyn Receiver>>,
    paused: bool,
    world: Arc<World>,
    subscription: Subscription,
}

impl SimulatedReceiver {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        settings: ReceiverSettings,
        inner: Box<dyn Receiver>,
        world: Arc<World>,
        subscription: Subscription,
    ) -> Self {
        Self { transport, settings, inner: Some(inner), paused: false, world, subscription }
    }

    /// Waits until the subscription is lost or may come back.
    async fn changed(world: &World, subscription: Subscription, lost: bool) {
        poll_fn(|cx| {
            world.wait(subscription, cx.waker());
            if world.is_lost(subscription) == lost { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    async fn take(&mut self, max: usize, into: &mut Vec<Event>) {
        let (process, station) = self.subscription;
        let world = self.world.clone();
        loop {
            if !world.is_alive(process) {
                return pending().await;
            }
            let Some(inner) = &mut self.inner else {
                Self::changed(&world, self.subscription, true).await;
                let back = self.transport.receive(self.settings.clone()).await;
                let Ok(mut back) = back else { continue };
                if self.paused {
                    back.pause();
                }
                self.inner = Some(back);
                world.note(format_args!("process {process} is back at {}", self.settings.queue));
                into.push(Event::Restored);
                return;
            };
            let from = into.len();
            let max = max.min(world.dice.within(1..=5));
            let lost = tokio::select! {
                biased;
                () = Self::changed(&world, self.subscription, false) => true,
                () = inner.next(max, into) => false,
            };
            if lost {
                // What was handed out goes back with it.
                self.inner = None;
                into.push(Event::Lost(Arc::new(std::io::Error::other("a simulated cut"))));
                return;
            }
            for event in &mut into[from..] {
                if let Event::Delivery(delivery) = event {
                    settler::wrap(delivery, &world, process, station);
                }
            }
            if into.len() > from {
                return;
            }
        }
    }
}

impl Receiver for SimulatedReceiver {
    fn next<'a>(&'a mut self, max: usize, into: &'a mut Vec<Event>) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.take(max, into))
    }

    fn pause(&mut self) {
        self.paused = true;
        if let Some(inner) = &mut self.inner {
            inner.pause();
        }
    }

    fn close(self: Box<Self>, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let (process, _) = self.subscription;
            if self.world.is_alive(process) {
                self.world.pay_all(process);
            }
            if let Some(inner) = self.inner {
                inner.close(deadline).await;
            }
        })
    }
}

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bus_core::{
    topology::Topology,
    transport::{Class, Confirm, Outgoing, Pending, Permit, PublishOutcome, Publisher, Window},
};
use futures_util::FutureExt;

use super::{Answer, Faults, Flaw, Step, faults::Fate, spoil::spoil};

/// Which bodies are large, in bytes.
const LARGE: usize = 64 << 10;

/// A publisher around another one.
#[derive(Debug)]
pub(super) struct FaultyPublisher {
    inner: Arc<dyn Publisher>,
    faults: Faults,
    count: AtomicUsize,
}

impl FaultyPublisher {
    pub(super) fn new(inner: Arc<dyn Publisher>, faults: Faults) -> Self {
        Self { inner, faults, count: AtomicUsize::new(0) }
    }

    /// Hands the message on, as the flaw has it.
    fn pass(&self, permit: Permit, mut message: Outgoing) -> Confirm {
        let has = |flaw| self.faults.has(flaw);
        let dropped = has(Flaw::Drops) && self.count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        if dropped || has(Flaw::SwallowsLarge) && message.body.len() > LARGE {
            return Pending::ready(PublishOutcome::Confirmed);
        }
        spoil(&self.faults, &mut message);
        if has(Flaw::Duplicates)
            && let Some(room) = self.inner.ready(message.body.len(), Class::Handler).now_or_never()
        {
            drop(self.inner.submit(room, message.clone()));
        }
        if has(Flaw::ConfirmsEarly) {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.submit(permit, message).await });
            return Pending::ready(PublishOutcome::Confirmed);
        }
        self.inner.submit(permit, message)
    }
}

impl Publisher for FaultyPublisher {
    fn window(&self) -> &Arc<Window> {
        self.inner.window()
    }

    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>) {
        if !self.faults.has(Flaw::IgnoresAnnouncements) {
            self.inner.announce(topic, needs);
        }
    }

    fn submit(&self, permit: Permit, message: Outgoing) -> Confirm {
        let faults = self.faults.clone();
        let noted = Arc::new(message.clone());
        faults.note(Step::Submitted(noted.clone()));
        let (confirm, mut released) = match faults.fate(&message) {
            None => (self.pass(permit, message), None),
            Some(Fate::Answered(answer @ Answer::Unknown)) => {
                drop(self.pass(permit, message));
                (Pending::ready(answer.outcome()), None)
            }
            Some(Fate::Answered(answer)) => (Pending::ready(answer.outcome()), None),
            Some(Fate::Withheld(released)) => (self.pass(permit, message), Some(released)),
        };
        let (completer, told) = Pending::new();
        let answer = move |outcome| {
            let outcome = match outcome {
                PublishOutcome::Unroutable if faults.has(Flaw::HidesUnroutable) => PublishOutcome::Confirmed,
                outcome => outcome,
            };
            let confirmed = matches!(outcome, PublishOutcome::Confirmed);
            faults.note(if confirmed { Step::Confirmed(noted) } else { Step::Refused(noted) });
            completer.complete(outcome);
        };
        // What is known is told at once, as the transport under this one does it.
        let mut confirm = Some(confirm);
        if released.is_none()
            && let Some(outcome) = confirm.as_mut().and_then(FutureExt::now_or_never)
        {
            answer(outcome);
            return told;
        }
        tokio::spawn(async move {
            if let Some(released) = &mut released {
                // Whoever held it back is gone: that releases it too.
                let _ = released.wait_for(|released| *released).await;
            }
            if let Some(confirm) = confirm {
                answer(confirm.await);
            }
        });
        told
    }
}

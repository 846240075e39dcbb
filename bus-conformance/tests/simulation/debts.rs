//! What the broker owes: answers that come later, and what is under way for a while.

use bus_core::transport::{Pending, SettleOutcome};

use crate::world::World;

/// Something that the broker does later.
pub(crate) struct Owed {
    pub(crate) process: usize,
    pay: Box<dyn FnOnce() + Send>,
}

impl World {
    /// The broker does that later; never, if the process dies before.
    pub(crate) fn owe(&self, process: usize, pay: impl FnOnce() + Send + 'static) {
        self.with(|state| state.owed.push(Owed { process, pay: Box::new(pay) }));
    }

    /// Waits for the broker, or for a store, if chance has it so.
    pub(crate) async fn delay(&self, process: usize) {
        if self.hits(self.scenario.rates.slow) {
            let (completer, pending) = Pending::new();
            self.owe(process, || completer.complete(SettleOutcome::Settled));
            pending.await;
        }
    }

    /// How much the broker owes.
    pub(crate) fn owed(&self) -> usize {
        self.with(|state| state.owed.len())
    }

    /// Pays one of the debts.
    pub(crate) fn pay(&self, which: usize) {
        let owed = self.with(|state| state.owed.remove(which));
        (owed.pay)();
    }

    /// Pays all debts to a process, those that come meanwhile too.
    pub(crate) fn pay_all(&self, process: usize) {
        let next = || self.with(|state| state.owed.iter().position(|owed| owed.process == process));
        while let Some(which) = next() {
            self.pay(which);
        }
    }
}

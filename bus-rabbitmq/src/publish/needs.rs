//! What messages need on the broker before they can be sent.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bus_core::topology::Topology;

use crate::{refusal::Refusal, topology::Need};

/// What was announced for a topic when it began to be made.
pub(crate) type Announced = Option<Arc<Topology>>;

/// What was made on this connection and need not be asked for again, and what is being made.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    announced: HashMap<Arc<str>, Arc<Topology>>,
    made: HashSet<Need>,
    /// Exchanges that are somebody else's to make.
    left: HashSet<Arc<str>>,
    /// With whether it takes long.
    making: HashMap<Need, bool>,
    /// What we may not make, and use if it is there.
    denied: HashMap<Need, Refusal>,
}

impl Needs {
    /// A new connection may be to a broker that lost everything.
    pub(crate) fn anew(&mut self) {
        self.made.clear();
        self.making.clear();
        self.denied.clear();
    }

    /// It may have been made already, or be under way, without what is known only now.
    pub(crate) fn announce(&mut self, topic: Arc<str>, needs: Arc<Topology>) {
        self.forget(&Need::Exchange(topic.clone()));
        self.announced.insert(topic, needs);
    }

    pub(crate) fn leave(&mut self, exchange: Arc<str>) {
        self.left.insert(exchange);
    }

    pub(crate) fn forget(&mut self, need: &Need) {
        self.made.remove(need);
    }

    pub(crate) fn forget_all(&mut self) {
        self.made.clear();
    }

    pub(crate) fn is_made(&self, need: &Need) -> bool {
        self.made.contains(need)
            || matches!(need, Need::Exchange(name) if self.left.contains(name) && !self.announced.contains_key(name))
    }

    pub(crate) fn is_making(&self, need: &Need) -> bool {
        self.making.contains_key(need)
    }

    pub(crate) fn is_late(&self, need: &Need) -> bool {
        self.making.get(need).is_some_and(|late| *late)
    }

    /// How many are being made, without those that take long.
    pub(crate) fn under_way(&self) -> usize {
        self.making.values().filter(|late| !**late).count()
    }

    /// Nothing is being made now.
    pub(crate) fn all_made(&self) -> bool {
        self.making.is_empty()
    }

    /// It is about to be made, with what is announced for it.
    pub(crate) fn begin(&mut self, need: &Need) -> Announced {
        self.making.insert(need.clone(), false);
        self.announced_for(need).cloned()
    }

    /// The broker's word on whether we may make it.
    pub(crate) fn note(&mut self, need: &Need, denied: Option<Refusal>) {
        match denied {
            Some(refusal) => self.denied.insert(need.clone(), refusal),
            None => self.denied.remove(need),
        };
    }

    pub(crate) fn denial(&self, need: &Need) -> Option<&Refusal> {
        self.denied.get(need)
    }

    pub(crate) fn late(&mut self, need: &Need) {
        if let Some(late) = self.making.get_mut(need) {
            *late = true;
        }
    }

    /// The broker answered. False if something else was announced meanwhile: the answer is to a question
    /// that nobody asks any more.
    pub(crate) fn end(&mut self, need: &Need, with: &Announced, made: bool) -> bool {
        self.making.remove(need);
        let counts = match (with, self.announced_for(need)) {
            (Some(with), Some(now)) => Arc::ptr_eq(with, now),
            (None, None) => true,
            _ => false,
        };
        if counts && made {
            self.made.insert(need.clone());
        }
        counts
    }

    fn announced_for(&self, need: &Need) -> Option<&Arc<Topology>> {
        match need {
            Need::Exchange(topic) => self.announced.get(topic),
            Need::Queue { .. } | Need::Delay(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_without_a_later_announcement_is_made_again() {
        let (mut needs, topic) = (Needs::default(), Arc::<str>::from("T"));
        let need = Need::Exchange(topic.clone());
        let without = needs.begin(&need);
        needs.announce(topic.clone(), Arc::default());
        assert!(!needs.end(&need, &without, true));
        assert!(!needs.is_made(&need) && !needs.is_making(&need));
        let with = needs.begin(&need);
        assert!(needs.end(&need, &with, true) && needs.is_made(&need));
        needs.announce(topic, Arc::default());
        assert!(!needs.is_made(&need));
    }

    #[test]
    fn what_takes_long_does_not_count_as_under_way() {
        let (mut needs, need) = (Needs::default(), Need::Queue { name: "q".into(), like: "p".into() });
        needs.begin(&need);
        assert_eq!((needs.under_way(), needs.is_late(&need)), (1, false));
        needs.late(&need);
        assert_eq!((needs.under_way(), needs.is_late(&need)), (0, true));
    }
}

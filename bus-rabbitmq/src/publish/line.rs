//! What lapin does not have.

use std::collections::{HashMap, VecDeque};

use bus_core::address::Destination;

use super::entry::Entry;
use crate::topology::Need;

/// Messages in the order in which they were submitted. Those whose destination takes long to be made stand
/// aside, with all that follow them to the same place.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Sorted by [`Entry::order`].
    waiting: VecDeque<Entry>,
    aside: HashMap<Destination, Vec<Entry>>,
    submitted: u64,
}

impl Line {
    /// Takes a new one, at the end.
    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.order = self.submitted;
        self.submitted += 1;
        self.waiting.push_back(entry);
    }

    /// Takes back what was in it before, to where it was.
    pub(crate) fn back(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let before = self.waiting.len();
        self.waiting.extend(entries);
        if self.waiting.len() > before {
            self.waiting.make_contiguous().sort_by_key(|entry| entry.order);
        }
    }

    pub(crate) fn front(&self) -> Option<&Entry> {
        self.waiting.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.waiting.pop_front()
    }

    /// Lets the first one stand aside, until its place is [`called`](Self::call).
    pub(crate) fn step_aside(&mut self) {
        if let Some(entry) = self.waiting.pop_front() {
            self.aside.entry(entry.place().clone()).or_default().push(entry);
        }
    }

    /// Others to the same place stand aside.
    pub(crate) fn waits_aside(&self, entry: &Entry) -> bool {
        !self.aside.is_empty() && self.aside.contains_key(entry.place())
    }

    /// What stood aside for it comes back.
    pub(crate) fn call(&mut self, place: &Destination) {
        let called = self.aside.remove(place).unwrap_or_default();
        self.back(called);
    }

    /// Everything comes back.
    pub(crate) fn call_all(&mut self) {
        let called: Vec<Entry> = std::mem::take(&mut self.aside).into_values().flatten().collect();
        self.back(called);
    }

    /// Drops those that it is false for.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&mut Entry) -> bool) {
        self.waiting.retain_mut(&mut keep);
        self.aside.retain(|_, entries| {
            entries.retain_mut(&mut keep);
            !entries.is_empty()
        });
    }

    /// What has to exist for those that do not stand aside.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Need> {
        self.waiting.iter().filter_map(Entry::need)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.aside.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bus_core::{
        address::Destination,
        transport::{Class, Outgoing, Pending, Window, WindowLimits},
    };
    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;

    fn entry(to: &str) -> Entry {
        #[allow(clippy::disallowed_methods, reason = "any time will do")]
        let message = Outgoing::new(Destination::Topic(to.into()), Bytes::new(), Instant::now());
        let window = std::sync::Arc::new(Window::new(WindowLimits::default()));
        let permit = window.reserve(1, Class::Application).now_or_never().unwrap();
        Entry::new(message, 0, Pending::new().0, permit)
    }

    fn order(line: &mut Line) -> Vec<u64> {
        std::iter::from_fn(|| line.pop()).map(|entry| entry.order).collect()
    }

    #[test]
    fn what_comes_back_stands_where_it_was() {
        let mut line = Line::default();
        ["a", "b", "a", "b", "a"].into_iter().for_each(|to| line.push(entry(to)));
        let (first, second, third) = (line.pop(), line.pop(), line.pop());
        line.back(third);
        line.back([second, first].into_iter().flatten());
        assert_eq!(order(&mut line), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_stands_aside_holds_up_its_own_place_alone_and_comes_back_in_order() {
        let mut line = Line::default();
        ["stuck", "b", "stuck", "b"].into_iter().for_each(|to| line.push(entry(to)));
        line.step_aside();
        assert!(!line.waits_aside(line.front().unwrap()));
        assert_eq!(line.pop().unwrap().order, 1);
        assert!(line.waits_aside(line.front().unwrap()));
        line.step_aside();
        line.call(&Destination::Topic("other".into()));
        assert_eq!(line.front().unwrap().order, 3);
        line.call(&Destination::Topic("stuck".into()));
        assert_eq!(order(&mut line), [0, 2, 3]);
        assert!(line.is_empty());
    }
}

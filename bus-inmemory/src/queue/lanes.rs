use std::collections::{BTreeMap, HashMap};

use bus_core::{clock::Clock, transport::Lane};

use super::{after::After, backlog::Backlog, message::Entry};

/// The messages of a queue's lanes that no consumer has, and whose the lanes are.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<Lane, State>,
    /// The lanes with messages, each at its first: by owner, those without one first.
    heads: BTreeMap<Head, Lane>,
    /// How many messages there are.
    length: usize,
}

/// A lane's owner, and the position of its first message.
pub(super) type Head = (Option<usize>, u64);

#[derive(Debug, Default)]
struct State {
    /// Waits for its turn.
    backlog: Backlog,
    /// The consumer that has some of its messages.
    owner: Option<usize>,
    /// How many its owner has.
    owned: usize,
    /// Under which it is among the heads.
    head: Option<Head>,
}

impl Lanes {
    pub(super) fn push(&mut self, lane: &Lane, entry: Entry, clock: &Clock, after: &mut After) {
        self.change(lane, |state| state.backlog.push(entry, clock, after));
    }

    pub(super) fn put_back(&mut self, lane: &Lane, entry: Entry) {
        self.change(lane, |state| state.backlog.put_back(entry));
    }

    /// The lanes that a consumer may have, by their first messages: those that nobody owns, and its own.
    pub(super) fn heads(&self, slot: usize) -> impl Iterator<Item = Head> {
        self.of(None).chain(self.of(Some(slot)))
    }

    /// The first of them.
    pub(super) fn first(&self, slot: usize) -> Option<Head> {
        self.of(None).next().into_iter().chain(self.of(Some(slot)).next()).min_by_key(|(_, sequence)| *sequence)
    }

    fn of(&self, owner: Option<usize>) -> impl Iterator<Item = Head> {
        self.heads.range((owner, 0)..=(owner, u64::MAX)).map(|(head, _)| *head)
    }

    /// The lane becomes the consumer's, with its first message; nothing if that expired with all behind it.
    pub(super) fn pop(&mut self, head: Head, slot: usize, clock: &Clock, after: &mut After) -> Option<Entry> {
        let lane = self.heads.get(&head)?.clone();
        self.change(&lane, |state| {
            let entry = state.backlog.pop(None, clock, after)?;
            (state.owner, state.owned) = (Some(slot), state.owned + 1);
            Some(entry)
        })
    }

    /// The owner of a lane has one of its messages no more.
    pub(super) fn left(&mut self, lane: &Lane) {
        self.change(lane, |state| {
            state.owned = state.owned.saturating_sub(1);
            if state.owned == 0 {
                state.owner = None;
            }
        });
    }

    /// Takes the message of this position.
    pub(super) fn remove(&mut self, lane: &Lane, sequence: u64) -> Option<Entry> {
        self.change(lane, |state| state.backlog.remove(sequence))
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.lanes.values().flat_map(|state| state.backlog.iter())
    }

    /// Changes a lane, and keeps its place among the heads.
    fn change<T>(&mut self, lane: &Lane, change: impl FnOnce(&mut State) -> T) -> T {
        let state = self.lanes.entry(lane.clone()).or_default();
        let length = self.length - state.backlog.len();
        let result = change(state);
        self.length = length + state.backlog.len();
        let head = state.backlog.first().map(|entry| (state.owner, entry.sequence));
        let before = std::mem::replace(&mut state.head, head);
        let idle = head.is_none() && state.owner.is_none();
        if before != head {
            if let Some(before) = before {
                self.heads.remove(&before);
            }
            if let Some(head) = head {
                self.heads.insert(head, lane.clone());
            }
        }
        if idle {
            self.lanes.remove(lane);
        }
        result
    }
}

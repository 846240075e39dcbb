use bus_core::{clock::Clock, transport::Lane};

use super::{
    after::After,
    backlog::Backlog,
    chance::Chance,
    lanes::{Head, Lanes},
    message::Entry,
};

/// The messages that no consumer has: those of lanes by lane, all others in one row.
#[derive(Debug)]
pub(super) struct Waiting {
    backlog: Backlog,
    lanes: Option<Box<Lanes>>,
}

impl Waiting {
    pub(super) fn new(lanes: bool) -> Self {
        Self { backlog: Backlog::default(), lanes: lanes.then(Box::default) }
    }

    /// Appends a new message.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry, clock: &Clock, after: &mut After) {
        match lane(&mut self.lanes, &entry) {
            None => self.backlog.push(entry, clock, after),
            Some((lanes, lane)) => lanes.push(&lane, entry, clock, after),
        }
    }

    /// Puts a message back to where it was.
    #[inline]
    pub(super) fn put_back(&mut self, entry: Entry) {
        match lane(&mut self.lanes, &entry) {
            None => self.backlog.put_back(entry),
            Some((lanes, lane)) => {
                lanes.left(&lane);
                lanes.put_back(&lane, entry);
            }
        }
    }

    /// A consumer has the message no more, and it does not come back.
    #[inline]
    pub(super) fn left(&mut self, entry: &Entry) {
        if let Some((lanes, lane)) = lane(&mut self.lanes, entry) {
            lanes.left(&lane);
        }
    }

    /// Takes the first message that the consumer may have; by chance, any.
    #[inline]
    pub(super) fn pop(
        &mut self,
        slot: usize,
        mut chance: Option<&mut Chance>,
        clock: &Clock,
        after: &mut After,
    ) -> Option<Entry> {
        let Some(lanes) = &mut self.lanes else { return self.backlog.pop(chance, clock, after) };
        loop {
            let head = match chance.as_deref_mut() {
                None => first(&self.backlog, lanes, slot),
                Some(chance) => any(&self.backlog, lanes, slot, chance),
            };
            let entry = match head? {
                Source::Backlog => self.backlog.pop(chance.as_deref_mut(), clock, after),
                Source::Lane(head) => lanes.pop(head, slot, clock, after),
            };
            // Nothing if all of it expired; then something else may be there.
            if entry.is_some() {
                return entry;
            }
        }
    }

    /// Takes the message of this position, which is of this lane.
    pub(super) fn remove(&mut self, sequence: u64, lane: Option<&Lane>) -> Option<Entry> {
        match (&mut self.lanes, lane) {
            (Some(lanes), Some(lane)) => lanes.remove(lane, sequence),
            _ => self.backlog.remove(sequence),
        }
    }

    /// How many there are. What expired at the head goes first.
    pub(super) fn count(&mut self, clock: &Clock, after: &mut After) -> usize {
        self.backlog.shed(clock, after);
        self.backlog.len() + self.lanes.as_ref().map_or(0, |lanes| lanes.len())
    }

    pub(super) fn has_lanes(&self) -> bool {
        self.lanes.is_some()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty() && self.lanes.as_ref().is_none_or(|lanes| lanes.is_empty())
    }

    /// All of them, in order.
    pub(super) fn in_order(&self) -> Box<dyn Iterator<Item = &Entry> + '_> {
        let Some(lanes) = &self.lanes else { return Box::new(self.backlog.iter()) };
        let mut entries: Vec<_> = self.backlog.iter().chain(lanes.iter()).collect();
        entries.sort_unstable_by_key(|entry| entry.sequence);
        Box::new(entries.into_iter())
    }
}

/// Where the next message comes from.
enum Source {
    Backlog,
    Lane(Head),
}

fn first(backlog: &Backlog, lanes: &Lanes, slot: usize) -> Option<Source> {
    match (backlog.first(), lanes.first(slot)) {
        (Some(entry), Some((_, sequence))) if entry.sequence < sequence => Some(Source::Backlog),
        (_, Some(head)) => Some(Source::Lane(head)),
        (Some(_), None) => Some(Source::Backlog),
        (None, None) => None,
    }
}

fn any(backlog: &Backlog, lanes: &Lanes, slot: usize, chance: &mut Chance) -> Option<Source> {
    let heads: Vec<Head> = lanes.heads(slot).collect();
    let choices = backlog.len() + heads.len();
    (choices > 0).then(|| heads.get(chance.below(choices)).map_or(Source::Backlog, |head| Source::Lane(*head)))
}

fn lane<'a>(lanes: &'a mut Option<Box<Lanes>>, entry: &Entry) -> Option<(&'a mut Lanes, Lane)> {
    Some((lanes.as_deref_mut()?, entry.message.lane.clone()?))
}

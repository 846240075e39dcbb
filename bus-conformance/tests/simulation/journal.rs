use std::{fmt, sync::Arc};

use uuid::Uuid;

use crate::{
    message::{Letter, Tag},
    scenario::Target,
    script::End,
    violation::Violation,
};

/// What happened in a schedule, as it was seen from outside of the bus.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// For people, without ids.
    pub(crate) steps: Vec<String>,
    pub(crate) told: Vec<Told>,
    /// Run `n` is at `n - 1`.
    pub(crate) runs: Vec<Run>,
    pub(crate) entered: Vec<Entered>,
    /// Messages on their way to the broker.
    pub(crate) left: Vec<Uuid>,
    /// What the broker refused.
    pub(crate) refused: Vec<Tag>,
    pub(crate) handed: Vec<Handed>,
    pub(crate) met: Met,
    /// What was wrong already while it happened.
    pub(crate) broken: Vec<Violation>,
}

/// What the program was told of a message that it sent.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) order: usize,
    pub(crate) copy: usize,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Confirmed,
    /// The broker does not have it.
    Failed,
    Unknown,
}

/// A run of a handler.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) process: usize,
    pub(crate) station: usize,
    pub(crate) consumer: &'static str,
    pub(crate) path: Arc<str>,
    pub(crate) message_id: Uuid,
    /// Which store the process had.
    pub(crate) store: usize,
    /// What the handler was told to be on its way.
    pub(crate) sent: Vec<(String, Target)>,
    /// None while it runs.
    pub(crate) ended: Option<Ended>,
    /// Its unit of work was committed.
    pub(crate) committed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Returned(End),
    Failed,
    /// It was dropped while it waited.
    Dropped,
}

impl Ended {
    /// The message counts as handled.
    pub(crate) fn succeeded(self) -> bool {
        matches!(self, Self::Returned(End::Done | End::Discarded))
    }
}

/// A message that came into a queue of the broker.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) queue: Arc<str>,
    pub(crate) letter: Letter,
}

/// A delivery.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) process: usize,
    pub(crate) station: usize,
    pub(crate) letter: Letter,
    /// How much there was of everything when it was handed out.
    pub(crate) entered: usize,
    pub(crate) left: usize,
    pub(crate) runs: usize,
    /// The runs from there on may have handled it: if it came again while the process had it in hand, and the network
    /// had taken it, those of that delivery may.
    pub(crate) since: usize,
    pub(crate) settled: bool,
    /// It was given back.
    pub(crate) over: bool,
}

/// How often what can double a message happened.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Met {
    pub(crate) crashes: usize,
    pub(crate) drops: usize,
    pub(crate) stops: usize,
    pub(crate) doubts: usize,
    pub(crate) doubles: usize,
    pub(crate) lost_acks: usize,
    pub(crate) cuts: usize,
    /// Deliveries that were given back after their handler had succeeded, or a copy had left.
    pub(crate) undone: usize,
    pub(crate) redelivered: usize,
    /// Claims that found messages which may have left already: they leave again.
    pub(crate) repeated: usize,
}

impl Met {
    /// Whether a message may be in two places.
    pub(crate) fn doubles_messages(self) -> bool {
        let Self { crashes, drops, doubts, doubles, lost_acks, cuts, stops, undone, repeated, .. } = self;
        crashes + drops + doubts + doubles + lost_acks + cuts + repeated > 0 || stops > 0 && undone > 0
    }
}

impl Journal {
    pub(crate) fn note(&mut self, step: fmt::Arguments<'_>) {
        self.steps.push(step.to_string());
    }

    /// The runs of a consumer on a message.
    pub(crate) fn runs_of<'a>(
        &'a self,
        station: usize,
        consumer: &'static str,
        path: &'a str,
    ) -> impl Iterator<Item = (usize, &'a Run)> {
        let numbered = self.runs.iter().enumerate().map(|(at, run)| (at + 1, run));
        numbered.filter(move |(_, run)| run.station == station && run.consumer == consumer && *run.path == *path)
    }

    /// How many handlers of a process run.
    pub(crate) fn runs_at_work(&self, process: usize) -> usize {
        self.runs.iter().filter(|run| run.process == process && run.ended.is_none()).count()
    }

    /// Whether a message came into any queue.
    pub(crate) fn is_there(&self, letter: &Letter) -> bool {
        self.entered.iter().any(|it| it.letter.id == letter.id)
    }

    /// Whether what a run sent came into the queue.
    pub(crate) fn has_entered(&self, queue: &str, path: &str, run: usize) -> bool {
        let is_it = |it: &Entered| it.letter.tag.run == run && *it.queue == *queue && *it.letter.tag.path == *path;
        self.entered.iter().any(is_it)
    }
}

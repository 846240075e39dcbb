use std::sync::Arc;

use bus_core::{
    address::Destination,
    topology::Topology,
    transport::{Class, Confirm, Outgoing, Pending, Permit, PublishOutcome, Publisher, Window, WindowLimits},
};
use futures_util::FutureExt;

use super::fate::{Fate, Said};
use crate::{
    journal::Entered,
    message::{Kind, Letter},
    scenario::Target,
    world::World,
};

#[derive(Debug)]
pub(super) struct SimulatedPublisher {
    inner: Arc<dyn Publisher>,
    world: Arc<World>,
    process: usize,
    window: Arc<Window>,
}

/// A message that is on its way.
struct Parcel {
    inner: Arc<dyn Publisher>,
    world: Arc<World>,
    message: Outgoing,
    letter: Letter,
    fate: Fate,
}

impl SimulatedPublisher {
    pub(super) fn new(inner: Arc<dyn Publisher>, world: Arc<World>, process: usize) -> Self {
        let limits = WindowLimits { messages: world.scenario.window, ..WindowLimits::default() };
        let window = Arc::new(Window::new(limits));
        world.with(|state| state.windows.insert(process, window.clone()));
        Self { inner, world, process, window }
    }
}

impl Publisher for SimulatedPublisher {
    fn window(&self) -> &Arc<Window> {
        &self.window
    }

    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>) {
        if self.world.is_alive(self.process) {
            self.inner.announce(topic, needs);
        }
    }

    fn submit(&self, permit: Permit, message: Outgoing) -> Confirm {
        let (world, process) = (self.world.clone(), self.process);
        if !world.moment(process) {
            return Pending::ready(PublishOutcome::Unknown("the process is dead".into()));
        }
        let letter = Letter::read(&message.body, message.message_id.as_deref());
        let fate = Fate::of(&message, &world, process);
        world.note(format_args!("process {process} sends {letter} to {}: {fate}", message.to));
        world.with(|state| match fate.told {
            // Not so a copy that the engine makes of what is there.
            Some(Said::Rejected | Said::Unroutable) if !state.journal.is_there(&letter) => {
                state.journal.refused.push(letter.tag.clone());
            }
            _ if fate.arrives > 0 => state.journal.left.push(letter.id),
            _ => {}
        });
        let (late, slow) = (fate.late, fate.slow);
        let parcel = Parcel { inner: self.inner.clone(), world: world.clone(), message, letter, fate };
        let (completer, confirm) = Pending::new();
        // The room is taken until the sender is told.
        let answer = move |world: &World, outcome: PublishOutcome| {
            let tell = move || {
                drop(permit);
                completer.complete(outcome);
            };
            if slow { world.owe(process, tell) } else { tell() }
        };
        if late {
            let later = world.clone();
            world.owe(process, move || answer(&later, parcel.arrive()));
        } else {
            answer(&world, parcel.arrive());
        }
        world.moment(process);
        confirm
    }
}

impl Parcel {
    /// Reaches the broker; what its sender is told.
    fn arrive(self) -> PublishOutcome {
        let mut truth = None;
        for _ in 0..self.fate.arrives {
            let mut message = self.message.clone();
            message.delay = self.fate.delay.or(message.delay);
            let delayed = message.delay.map(|delay| self.world.clock.after(delay));
            let room = self.inner.ready(message.body.len(), Class::Handler).now_or_never();
            let outcome = self.inner.submit(room.expect("the broker takes all"), message).now_or_never();
            let outcome = outcome.expect("the broker answers at once");
            if matches!(outcome, PublishOutcome::Confirmed) {
                self.entered();
                self.world.with(|state| state.delayed = state.delayed.max(delayed));
            }
            truth = Some(outcome);
        }
        match (self.fate.told, truth) {
            (Some(said), _) => said.outcome(),
            (None, Some(truth)) => truth,
            (None, None) => unreachable!("what arrives nowhere is told"),
        }
    }

    fn entered(&self) {
        let scenario = &self.world.scenario;
        let queues: Vec<Arc<str>> = match (&self.message.to, self.letter.kind) {
            (_, Kind::Other) => return,
            (Destination::Queue(queue), _) => vec![queue.clone()],
            (Destination::Topic(_), _) => {
                let reached = scenario.reached(Target::Everybody).into_iter();
                reached.map(|station| scenario.stations[station].name.clone()).collect()
            }
        };
        let entered = queues.into_iter().map(|queue| Entered { queue, letter: self.letter.clone() });
        self.world.with(|state| state.journal.entered.extend(entered));
    }
}

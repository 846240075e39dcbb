use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bus_core::transport::{Delivery, Lease, Pending, SettleOutcome, Settlement, Settler, Settling, Token, Unsettled};
use futures_util::FutureExt;

use crate::{journal::Handed, message::Letter, violation::Violation, whole, world::World};

/// Settles one delivery, if its process is alive and the network has it so.
struct SimulatedSettler {
    world: Arc<World>,
    process: usize,
    /// Which of the deliveries of the schedule it is.
    number: usize,
    inner: Mutex<Option<Unsettled>>,
}

/// Puts this settler in place of the broker's.
pub(super) fn wrap(delivery: &mut Delivery, world: &Arc<World>, process: usize, station: usize) {
    let letter = Letter::read(&delivery.body, delivery.message_id.as_deref());
    let number = world.with(|state| {
        let again = if delivery.redelivered { ", again" } else { "" };
        let queue = &world.scenario.stations[station].name;
        let journal = &mut state.journal;
        journal.note(format_args!("process {process} gets {letter} from {queue}{again}"));
        journal.met.redelivered += usize::from(delivery.redelivered);
        let (entered, left, runs) = (journal.entered.len(), journal.left.len(), journal.runs.len());
        // Itself, or the copy that another process put in its place.
        let comes_again = delivery.redelivered || delivery.headers.get("Bus-Starts").is_some();
        let in_hand = |other: &&Handed| {
            let same = (other.process, other.station, other.letter.id) == (process, station, letter.id);
            comes_again && same && !other.over
        };
        let taken_over = journal.handed.iter().find(in_hand).map(|other| (other.since, other.entered));
        let (since, entered) = taken_over.unwrap_or((runs, entered));
        let (settled, over) = (false, false);
        journal.handed.push(Handed { process, station, letter, entered, left, runs, since, settled, over });
        journal.handed.len() - 1
    });
    let settler = Arc::new(SimulatedSettler { world: world.clone(), process, number, inner: Mutex::default() });
    let ours = Unsettled::new(settler.clone(), Token { generation: 0, number: number as u64 });
    *settler.inner() = Some(std::mem::replace(&mut delivery.unsettled, ours));
}

impl SimulatedSettler {
    fn inner(&self) -> std::sync::MutexGuard<'_, Option<Unsettled>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that the engine settles it.
    fn noted(&self, settlement: &Settlement, is_lost: bool) {
        let completes = !matches!(settlement, Settlement::Release);
        self.world.with(|state| {
            let journal = &mut state.journal;
            journal.handed[self.number].settled = true;
            let handed = &journal.handed[self.number];
            let queue = &self.world.scenario.stations[handed.station].name;
            let does = if completes { "completes" } else { "releases" };
            let lost = if is_lost { ", and the broker does not hear of it" } else { "" };
            let step = format!("process {} {does} {} of {queue}{lost}", self.process, handed.letter);
            journal.steps.push(step);
            journal.met.lost_acks += usize::from(is_lost);
            if completes {
                let early = whole::completed_early(&self.world.scenario, journal, self.number);
                journal.broken.extend(early);
                let stops = journal.met.stops > 0;
                let undone = stops && whole::was_put_back(&self.world.scenario, journal, self.number);
                journal.met.undone += usize::from(undone);
            } else if whole::was_handled(journal, self.number) {
                journal.met.undone += 1;
            }
        });
    }
}

impl Settler for SimulatedSettler {
    fn settle(&self, _: Token, settlement: Settlement) -> Settling {
        let (world, process) = (&self.world, self.process);
        let Some(inner) = self.inner().take() else {
            let said = format!("delivery {} is settled twice", self.number);
            world.with(|state| state.journal.broken.push(Violation::Settled(said)));
            return Pending::ready(SettleOutcome::Unknown);
        };
        // What is completed stays in hand until the answer, which may be late.
        world.with(|state| state.journal.handed[self.number].over = matches!(settlement, Settlement::Release));
        if !world.moment(process) {
            // The connection is closed: it goes back.
            drop(inner);
            return Pending::ready(SettleOutcome::Unknown);
        }
        let rates = &world.scenario.rates;
        let is_lost = world.hits(rates.lost_ack);
        self.noted(&settlement, is_lost);
        if is_lost {
            world.with(|state| state.limbo.push((process, inner)));
            return Pending::ready(world.dice.pick(&[SettleOutcome::Settled, SettleOutcome::Unknown]));
        }
        let (completer, settling) = Pending::new();
        let slow = world.hits(rates.slow);
        let reach = move || inner.settle(settlement).now_or_never().expect("the broker answers at once");
        let answer = move |world: &World, outcome| {
            if slow { world.owe(process, move || completer.complete(outcome)) } else { completer.complete(outcome) }
        };
        if world.hits(rates.late) {
            let later = world.clone();
            world.owe(process, move || answer(&later, reach()));
        } else {
            answer(world, reach());
        }
        world.moment(process);
        settling
    }

    fn renew(&self, _: Token) -> Pending<Option<Lease>> {
        Pending::ready(None)
    }
}

impl fmt::Debug for SimulatedSettler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimulatedSettler").field(&self.number).finish()
    }
}

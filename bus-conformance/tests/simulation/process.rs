use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use bus_core::{Bus, Error};
use futures_util::FutureExt;
use tokio::{
    runtime::{Builder as RuntimeBuilder, Runtime},
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    journal::{Outcome, Told},
    message::{Event, Kind, Stray, Tag, Work},
    program::{Surroundings, bus},
    scenario::Target,
    violation::Violation,
    world::World,
};

/// A process with a bus: a runtime of its own, which runs only when the schedule lets it, so many steps at a time.
/// Dropped, it is gone as if it had been killed.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: usize,
    world: Arc<World>,
    bus: Option<Bus>,
    pub(crate) stage: Stage,
    /// When it was started the last time.
    started: Instant,
    sends: Vec<JoinHandle<()>>,
    runtime: Runtime,
    /// None of its tasks can run.
    idle: Arc<AtomicBool>,
    /// Some may be ready that were not seen to be idle since.
    stirred: bool,
}

#[derive(Debug)]
pub(crate) enum Stage {
    Starting(JoinHandle<Result<(), Error>>),
    Running,
    Stopping(JoinHandle<()>),
    Stopped,
    /// Its bus was dropped.
    Dropped,
}

impl Process {
    pub(crate) fn new(number: usize, world: &Arc<World>, around: Surroundings<'_>) -> Self {
        let idle = Arc::<AtomicBool>::default();
        let parked = {
            let (idle, world) = (idle.clone(), Arc::downgrade(world));
            move || {
                idle.store(true, Ordering::SeqCst);
                if let Some(world) = world.upgrade() {
                    world.wake_driver();
                }
            }
        };
        // One task at a time, so that the schedule can go on between any two.
        let runtime = RuntimeBuilder::new_current_thread().event_interval(1).on_thread_park(parked).build();
        let bus = world.building(number, || bus(number, world, around));
        Self {
            number,
            world: world.clone(),
            bus: Some(bus),
            stage: Stage::Stopped,
            started: world.clock.now(),
            sends: Vec::new(),
            runtime: runtime.expect("a runtime without I/O can be built"),
            idle,
            stirred: true,
        }
    }

    pub(crate) fn bus(&self) -> Option<&Bus> {
        self.bus.as_ref()
    }

    pub(crate) fn start(&mut self) {
        let Some(bus) = self.bus.clone() else { return };
        self.world.note(format_args!("process {} starts", self.number));
        self.world.begins(self.number);
        self.started = self.world.clock.now();
        self.stirred = true;
        self.stage = Stage::Starting(self.runtime.spawn(async move { bus.start().await }));
    }

    pub(crate) fn stop(&mut self) {
        let Some(bus) = self.bus.clone() else { return };
        self.world.note(format_args!("process {} stops", self.number));
        self.world.ends(self.number, self.world.scenario.stop_timeout);
        self.stirred = true;
        self.stage = Stage::Stopping(self.runtime.spawn(async move { bus.stop().await }));
    }

    pub(crate) fn drop_bus(&mut self) {
        self.world.note(format_args!("process {} drops its bus", self.number));
        self.world.ends(self.number, Duration::ZERO);
        self.stirred = true;
        self.stage = Stage::Dropped;
        self.bus = None;
    }

    /// Sends a message of the program's.
    pub(crate) fn send(&mut self, order: usize, copy: usize) {
        let Some(bus) = self.bus.clone() else { return };
        let (world, process) = (self.world.clone(), self.number);
        self.stirred = true;
        self.sends.push(self.runtime.spawn(async move {
            let scenario = &world.scenario;
            let to = scenario.orders[order].to;
            let tag = Tag { path: order.to_string().into(), run: 0, copy }.to_string();
            let id = order_id(order);
            let name = |station: usize| format!("queue:{}", scenario.stations[station].name);
            let sent = match to {
                Target::Everybody => bus.publish(Event { tag }).message_id(id).await,
                Target::Station(to, Kind::Stray) => bus.send(name(to), Stray { tag }).message_id(id).await,
                Target::Station(to, _) => bus.send(name(to), Work { tag }).message_id(id).await,
            };
            let outcome = match sent {
                Ok(()) => Outcome::Confirmed,
                Err(Error::Unknown { .. }) => Outcome::Unknown,
                Err(_) => Outcome::Failed,
            };
            if world.is_alive(process) {
                world.note(format_args!("process {process} is told of {order}: {outcome:?}"));
                world.with(|state| state.journal.told.push(Told { order, copy, outcome }));
            }
        }));
    }

    /// Whether something can run.
    pub(crate) fn is_ready(&self) -> bool {
        self.stirred || self.runtime.metrics().global_queue_depth() > 0
    }

    /// Whether its program waits for nothing.
    pub(crate) fn is_settled(&self) -> bool {
        let moving = matches!(self.stage, Stage::Starting(_) | Stage::Stopping(_));
        let ending = matches!(self.stage, Stage::Dropped) && self.runtime.metrics().num_alive_tasks() > 0;
        !moving && !ending && self.sends.iter().all(JoinHandle::is_finished)
    }

    /// Runs so many of its tasks, each once; all until none can go on, if nobody says how many.
    pub(crate) fn run(&mut self, tasks: Option<usize>) {
        self.idle.store(false, Ordering::SeqCst);
        let mut left = tasks;
        self.runtime.block_on(poll_fn(|cx| {
            if self.idle.load(Ordering::SeqCst) || !self.world.is_alive(self.number) || left == Some(0) {
                return Poll::Ready(());
            }
            if let Some(left) = &mut left {
                *left -= 1;
                cx.waker().wake_by_ref();
            }
            self.world.drive(cx.waker().clone());
            Poll::Pending
        }));
        self.stirred = !self.idle.load(Ordering::SeqCst);
        self.look();
    }

    /// Sees whether a start or a stop has come to its end.
    fn look(&mut self) {
        let next = match &mut self.stage {
            Stage::Starting(start) => match start.now_or_never() {
                Some(Ok(Ok(()))) => Stage::Running,
                Some(_) => Stage::Stopped,
                None => return,
            },
            Stage::Stopping(stop) => match stop.now_or_never() {
                Some(_) => Stage::Stopped,
                None => return,
            },
            _ => return,
        };
        self.world.note(format_args!("process {}: {next:?}", self.number));
        // Before the first round after a start, the start itself has brought the topology about.
        if let (Stage::Running, Some(bus)) = (&next, &self.bus)
            && let Some(why) = bus.health().topology
            && self.world.clock.now() < self.started + ROUND
        {
            let stale = Violation::Told(format!("process {} is started, and health says: {why}", self.number));
            self.world.with(|state| state.journal.broken.push(stale));
        }
        self.stage = next;
    }
}

/// How long after a start a bus brings its topology about again.
const ROUND: Duration = Duration::from_secs(60);

pub(crate) fn order_id(order: usize) -> Uuid {
    Uuid::from_u128(order as u128 + 1)
}

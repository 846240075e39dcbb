use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bus_core::{
    persistence::MemoryPersistence,
    transport::{Driver, Environment, Transport},
};
use futures_util::FutureExt;

use crate::{
    dice::Dice,
    oracle::{Aside, Oracle},
    process::{Process, Stage},
    program::Surroundings,
    violation::Violation,
    world::World,
};

/// One run: what happens in which order follows from the seed.
pub(crate) struct Schedule {
    pub(crate) world: Arc<World>,
    pub(crate) dice: Dice,
    parts: Parts,
    url: String,
    pub(crate) processes: Vec<Process>,
    /// How many processes there were.
    count: usize,
    /// The next of the program's messages.
    pub(crate) order: usize,
    store: MemoryPersistence,
    /// Keeps the broker, and looks into its queues.
    pub(crate) observer: Arc<dyn Transport>,
}

/// What came of a schedule.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) steps: Vec<String>,
    pub(crate) violations: Vec<Violation>,
}

/// What is under test, which a planted bug may be in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) driver: &'static dyn Driver,
    /// How long stores remember what was handled.
    pub(crate) remembered: Duration,
}

impl Parts {
    /// Without planted bugs. No store forgets within a schedule.
    pub(crate) fn sound() -> Self {
        Self { driver: &crate::broker::DRIVER, remembered: Duration::from_secs(365 * 86_400) }
    }
}

impl Schedule {
    pub(crate) fn run(seed: u64, parts: Parts) -> Report {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let world = World::new(seed);
        let url = format!("memory://simulation-{}?seed={seed}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut environment = Environment::default();
        environment.clock = world.clock.clone();
        let observer = bus_inmemory::DRIVER.open(&url, environment).expect("the broker's URL is right");
        let connected = observer.connect(world.clock.now()).now_or_never().expect("at once");
        connected.expect("the broker is there");
        let mut schedule = Self {
            dice: Dice::about(seed, "schedule"),
            parts,
            url,
            processes: Vec::new(),
            count: 0,
            order: 0,
            store: MemoryPersistence::new().window(parts.remembered),
            observer,
            world,
        };
        for _ in 0..schedule.world.scenario.processes {
            schedule.begin();
        }
        for _ in 0..schedule.world.scenario.actions {
            schedule.act();
            schedule.bury();
        }
        schedule.world.heal();
        let violations = match schedule.end() {
            Ok(()) => schedule.violations(),
            // What is not at its end would look as if it were lost.
            Err(held) => vec![held],
        };
        let steps = schedule.world.with(|state| std::mem::take(&mut state.journal.steps));
        Report { seed, steps, violations }
    }

    /// Starts another process.
    fn begin(&mut self) {
        self.count += 1;
        let lasting = self.world.scenario.lasting_store;
        let store = if lasting { self.store.clone() } else { MemoryPersistence::new().window(self.parts.remembered) };
        let store_number = if lasting { 0 } else { self.count };
        let around = Surroundings { driver: self.parts.driver, url: &self.url, store, store_number };
        let mut process = Process::new(self.count, &self.world, around);
        process.start();
        self.processes.push(process);
    }

    /// Does one thing.
    fn act(&mut self) {
        match self.dice.below(100) {
            0..36 => self.run_one(),
            36..44 => self.run_all(),
            44..62 => self.pay_one(),
            62..65 => self.pay_all(),
            65..82 => {
                for _ in 0..self.dice.within(1..=3) {
                    self.send();
                }
            }
            82..90 => self.pass_time(),
            _ => self.go_wrong(),
        }
    }

    fn run_one(&mut self) {
        if !self.processes.is_empty() {
            let which = self.dice.below(self.processes.len());
            let tasks = self.dice.within(1..=12);
            self.processes[which].run(Some(tasks));
        }
    }

    pub(crate) fn run_all(&mut self) {
        for process in &mut self.processes {
            if process.is_ready() {
                process.run(None);
            }
        }
    }

    fn pay_one(&self) {
        let owed = self.world.owed();
        if owed > 0 {
            self.world.pay(self.dice.below(owed));
        }
    }

    pub(crate) fn pay_all(&self) {
        while self.world.owed() > 0 {
            self.pay_one();
        }
    }

    pub(crate) fn send(&mut self) {
        let running: Vec<_> = self.processes.iter_mut().filter(|it| matches!(it.stage, Stage::Running)).collect();
        if running.is_empty() || self.order == self.world.scenario.orders.len() {
            return;
        }
        let which = self.dice.below(running.len());
        let process = running.into_iter().nth(which).expect("one of them");
        process.send(self.order, 0);
        if self.world.scenario.orders[self.order].twice {
            process.send(self.order, 1);
        }
        self.order += 1;
    }

    fn pass_time(&self) {
        let clock = &self.world.clock;
        let by = Duration::from_millis(self.dice.within(1..=3000) as u64);
        match clock.next_timer() {
            Some(next) if self.dice.hits(700) => clock.advance_to(next),
            _ => clock.advance_to(clock.after(by)),
        }
    }

    /// Does one of the things that are to go wrong in this scenario, or mends one.
    fn go_wrong(&mut self) {
        let faults = &self.world.scenario.faults;
        let fewer = self.processes.iter().filter(|it| matches!(it.stage, Stage::Running | Stage::Starting(_))).count();
        if fewer < self.world.scenario.processes && self.dice.hits(500) {
            return self.start();
        }
        let possible: Vec<usize> =
            [faults.cuts, faults.outages, faults.stops, faults.drops, faults.crashes, faults.lost_acks]
                .into_iter()
                .enumerate()
                .filter(|(_, on)| *on)
                .map(|(which, _)| which)
                .collect();
        if possible.is_empty() || self.processes.is_empty() {
            return;
        }
        let which = self.dice.below(self.processes.len());
        let number = self.processes[which].number;
        match self.dice.pick(&possible) {
            0 => {
                let subscription = (number, self.dice.below(self.world.scenario.stations.len()));
                self.world.lose(subscription, !self.world.is_lost(subscription));
            }
            1 => self.world.with(|state| {
                let away = state.away.insert(number) || !state.away.remove(&number);
                state.journal.note(format_args!("process {number} can send: {}", !away));
            }),
            2 if matches!(self.processes[which].stage, Stage::Running) => {
                self.world.with(|state| state.journal.met.stops += 1);
                self.processes[which].stop();
            }
            3 if !matches!(self.processes[which].stage, Stage::Dropped) => {
                self.world.with(|state| state.journal.met.drops += 1);
                self.processes[which].drop_bus();
            }
            4 => self.world.kill(number),
            5 => self.world.empty_limbo(Some(number)),
            _ => {}
        }
    }

    /// Starts a process that was stopped, or another one.
    pub(crate) fn start(&mut self) {
        match self.processes.iter_mut().find(|process| matches!(process.stage, Stage::Stopped)) {
            Some(process) => process.start(),
            None => self.begin(),
        }
    }

    /// Clears away the processes that died: their connections are closed by now.
    pub(crate) fn bury(&mut self) {
        let world = &self.world;
        for process in self.processes.extract_if(.., |process| !world.is_alive(process.number)) {
            world.empty_limbo(Some(process.number));
            let transport = world.with(|state| state.transports.remove(&process.number));
            let transport = transport.expect("a process has a connection");
            transport.close(world.clock.now()).now_or_never().expect("at once");
        }
    }

    fn violations(&self) -> Vec<Violation> {
        let scenario = &self.world.scenario;
        let mut aside = Vec::new();
        for (number, station) in scenario.stations.iter().enumerate() {
            for queue in ["_error", "_skipped"].map(|suffix| format!("{}{suffix}", station.name)) {
                aside.extend(self.lying(&queue).iter().map(|dead| Aside::of(number, dead)));
            }
        }
        self.world.with(|state| {
            let journal = &state.journal;
            let found = Oracle { scenario, journal, aside: &aside }.violations();
            journal.broken.iter().cloned().chain(found).collect()
        })
    }
}

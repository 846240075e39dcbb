//! How a schedule comes to its end.

use std::time::{Duration, Instant};

use bus_core::transport::{Class, DeadLetter};
use futures_util::FutureExt;

use crate::{
    process::{Process, Stage},
    schedule::Schedule,
    violation::Violation,
    world::State,
};

/// So many timers go off until a schedule without faults counts as hanging.
const PATIENCE: usize = 20_000;
/// How much later than its deadline a stop may be.
const GRACE: Duration = Duration::from_secs(2);

impl Schedule {
    /// Lets everything come to its end; stops all.
    pub(crate) fn end(&mut self) -> Result<(), Violation> {
        self.settle("the messages", |schedule| {
            let running = |process: &Process| matches!(process.stage, Stage::Running | Stage::Starting(_));
            if !schedule.processes.iter().any(running) {
                schedule.start();
            }
            while schedule.order < schedule.world.scenario.orders.len()
                && schedule.processes.iter().any(|process| matches!(process.stage, Stage::Running))
            {
                schedule.send();
            }
        })?;
        self.has_room()?;
        for process in &mut self.processes {
            if matches!(process.stage, Stage::Running) {
                process.stop();
            }
        }
        self.settle("the stop", |_| {})
    }

    fn settle(&mut self, what: &str, mut go_on: impl FnMut(&mut Self)) -> Result<(), Violation> {
        // Who stops has heard of it by now.
        let late = self.world.clock.after(self.world.scenario.stop_timeout + GRACE);
        for _ in 0..PATIENCE {
            loop {
                self.run_all();
                self.bury();
                self.pay_all();
                go_on(self);
                if !self.processes.iter().any(Process::is_ready) && self.world.owed() == 0 {
                    break;
                }
            }
            self.stops_in_time(late)?;
            let Some(busy) = self.busy() else { return Ok(()) };
            let Some(next) = self.world.clock.next_timer() else {
                return Err(Violation::Held(format!("{what}: {busy}, and nothing will ever happen")));
            };
            self.world.clock.advance_to(next);
        }
        let busy = self.busy();
        Err(Violation::Held(format!("{what}: after {PATIENCE} timers {busy:?}")))
    }

    /// A stop waits for handlers that run, and for them no longer than it may. Nothing else can hold it up now.
    fn stops_in_time(&self, late: Instant) -> Result<(), Violation> {
        let stopping = self.processes.iter().filter(|process| matches!(process.stage, Stage::Stopping(_)));
        for number in stopping.map(|process| process.number) {
            let runs = self.world.with(|state| state.journal.runs_at_work(number));
            if runs == 0 || self.world.clock.now() >= late {
                return Err(Violation::Held(format!("process {number} does not stop, and {runs} handlers run")));
            }
        }
        Ok(())
    }

    /// What is not at rest yet.
    fn busy(&self) -> Option<String> {
        if self.order < self.world.scenario.orders.len() {
            return Some("not all messages are sent".to_owned());
        }
        if let Some(process) = self.processes.iter().find(|process| !process.is_settled()) {
            return Some(format!("process {} is {:?}", process.number, process.stage));
        }
        if let Some(station) = self.world.scenario.stations.iter().find(|station| !self.lying(&station.name).is_empty())
        {
            return Some(format!("there is something in {}", station.name));
        }
        let held = |state: &mut State| {
            let handed = state.journal.handed.iter().find(|handed| !handed.settled && state.is_alive(handed.process));
            let held = handed.map(|handed| format!("process {} holds {}", handed.process, handed.letter));
            let late = state.delayed.filter(|delayed| *delayed > self.world.clock.now());
            let in_flight = state.transports.values().any(|transport| transport.in_flight() != Some(0));
            held.or(late.map(|_| "a message is delayed".to_owned()))
                .or(in_flight.then(|| "a message is in flight".to_owned()))
        };
        self.world.with(held).or_else(|| self.ill())
    }

    /// A bus that runs and is not healthy.
    fn ill(&self) -> Option<String> {
        let running = self.processes.iter().filter(|process| matches!(process.stage, Stage::Running));
        let ill = |process: &Process| {
            let health = process.bus()?.health();
            (!health.healthy).then(|| format!("process {} is not healthy: {health:?}", process.number))
        };
        running.filter_map(ill).next()
    }

    pub(crate) fn lying(&self, queue: &str) -> Vec<DeadLetter> {
        let lying = self.observer.browse(queue, usize::MAX).now_or_never().expect("at once");
        lying.expect("the broker is there")
    }

    /// All room for messages on their way is free again.
    fn has_room(&self) -> Result<(), Violation> {
        for process in self.processes.iter().filter(|process| matches!(process.stage, Stage::Running)) {
            let window = self.world.with(|state| state.windows[&process.number].clone());
            let room = || window.reserve(0, Class::Handler).now_or_never();
            let free = (0..self.world.scenario.window).map_while(|_| room()).collect::<Vec<_>>().len();
            if free < self.world.scenario.window {
                return Err(Violation::Held(format!("process {} has room for {free} messages only", process.number)));
            }
        }
        Ok(())
    }
}

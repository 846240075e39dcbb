//! What health said, and when.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::Bus;
use tokio::task::JoinHandle;

const LOOK: Duration = Duration::from_millis(10);

/// When what it complains of became another.
type Changes = Vec<(Instant, Option<String>)>;

/// Looks at the health of a bus all the time.
pub(crate) struct Watch {
    changes: Arc<Mutex<Changes>>,
    watching: JoinHandle<()>,
}

impl Watch {
    pub(crate) fn of(bus: &Bus) -> Self {
        let changes = Arc::new(Mutex::new(vec![(Instant::now(), problem(bus))]));
        let (noted, bus) = (changes.clone(), bus.clone());
        let watching = tokio::spawn(async move {
            loop {
                let problem = problem(&bus);
                {
                    let mut noted = noted.lock().unwrap();
                    if noted.last().is_none_or(|(_, last)| *last != problem) {
                        noted.push((Instant::now(), problem));
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
        });
        Self { changes, watching }
    }

    /// When it first complained at or after `since`, and of what.
    pub(crate) fn complained(&self, since: Instant) -> Option<(Instant, String)> {
        let changes = self.changes.lock().unwrap();
        let before = changes.iter().rfind(|(at, _)| *at <= since).map(|(_, problem)| (since, problem));
        let after = changes.iter().filter(|(at, _)| *at > since).map(|(at, problem)| (*at, problem));
        before.into_iter().chain(after).find_map(|(at, problem)| Some((at, problem.clone()?)))
    }

    /// Waits until it has nothing to complain of.
    pub(crate) async fn well(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            let last = self.changes.lock().unwrap().last().and_then(|(_, problem)| problem.clone());
            match last {
                None => return Ok(()),
                Some(problem) if Instant::now() > deadline => return Err(problem),
                Some(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn problem(bus: &Bus) -> Option<String> {
    let health = bus.health();
    if health.healthy {
        return None;
    }
    let endpoints = health.endpoints.into_iter().filter_map(|endpoint| {
        let problem = endpoint.problem?;
        Some(format!("{}: {problem}", endpoint.name))
    });
    let all: Vec<_> = health.connection.into_iter().chain(health.topology).chain(endpoints).collect();
    Some(all.join("; "))
}

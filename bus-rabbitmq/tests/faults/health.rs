//! What health said, and when.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bus_core::Bus;
use tokio::task::JoinHandle;

const LOOK: Duration = Duration::from_millis(5);

/// What it has not complained of then, it does not complain of.
const SILENT: Duration = Duration::from_secs(10);

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

    /// Waits until it complains of that, at or after `since`; its words.
    pub(crate) async fn complains(&self, since: Instant, of: &str) -> Option<String> {
        let deadline = Instant::now() + SILENT;
        loop {
            {
                let changes = self.changes.lock().unwrap();
                // The last one before goes on.
                let from = changes.partition_point(|(at, _)| *at <= since).saturating_sub(1);
                let mut words = changes[from..].iter().filter_map(|(_, problem)| problem.as_ref());
                if let Some(words) = words.find(|words| words.contains(of)) {
                    return Some(words.clone());
                }
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// All that it said, for who wonders why a bound was broken.
    pub(crate) fn history(&self) -> String {
        let changes = self.changes.lock().unwrap();
        let first = changes.first().map(|(at, _)| *at);
        let line = |(at, problem): &(Instant, Option<String>)| {
            let since = first.map_or(0.0, |first| (*at - first).as_secs_f64());
            format!("  health after {since:.2} s: {}\n", problem.as_deref().unwrap_or("well"))
        };
        changes.iter().map(line).collect()
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

use std::{
    env, fmt,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    scenario::Scenario,
    schedule::{Parts, Report, Schedule},
    violation::Violation,
};

/// The seeds of the schedules to run.
#[derive(Debug, Clone)]
pub(crate) struct Seeds(Range<u64>);

/// A schedule that showed what must not be.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) seed: u64,
    /// Nothing if it panicked.
    report: Option<Report>,
}

/// How many schedules there are, unless the environment says otherwise.
const SOME: u64 = 2000;

impl Seeds {
    /// The usual ones.
    pub(crate) fn some() -> Self {
        Self(0..SOME)
    }

    /// What the environment asks for.
    pub(crate) fn asked_for() -> Self {
        let number = |name: &str| {
            let text = env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
        };
        if let Some(seed) = number("BUS_SEED") {
            return Self(seed..seed + 1);
        }
        let from = number("BUS_SEEDS_FROM").unwrap_or(0);
        Self(from..from + number("BUS_SCHEDULES").unwrap_or(SOME))
    }

    /// Runs the schedules, on all processors, until one shows what must not be; of several the one with the lowest seed.
    pub(crate) fn find_failing(&self, parts: Parts, counts: impl Fn(&Violation) -> bool + Sync) -> Option<Failed> {
        let (next, failed) = (AtomicU64::new(self.0.start), Mutex::new(None::<Failed>));
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let known = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if seed >= self.0.end || known {
                    return;
                }
                let report = catch_unwind(AssertUnwindSafe(|| Schedule::run(seed, parts))).ok();
                if report.as_ref().is_none_or(|report| report.violations.iter().any(&counts)) {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if failed.as_ref().is_none_or(|other| seed < other.seed) {
                        *failed = Some(Failed { seed, report });
                    }
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        failed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Report { seed, steps, violations }) = &self.report else {
            return write!(f, "schedule {} panicked; run it alone with BUS_SEED={}", self.seed, self.seed);
        };
        writeln!(f, "schedule {} failed; run it alone with BUS_SEED={}", self.seed, self.seed)?;
        writeln!(f, "{:#?}", Scenario::of(*seed))?;
        steps.iter().enumerate().try_for_each(|(number, step)| writeln!(f, "{number:5} {step}"))?;
        writeln!(f, "{violations:#?}")
    }
}

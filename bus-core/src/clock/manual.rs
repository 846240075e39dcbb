use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use super::Alarm;

/// Time that passes when somebody says so.
pub(super) struct Manual {
    /// A real instant, since there are no others; all that counts is the distance from it.
    start: Instant,
    state: Mutex<State>,
    notice: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// A timer: its time since the start, and a number, so that those of one time go off in the order they were set.
pub(super) type Key = (Duration, u64);

/// Who waits for the clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Waiters {
    /// Deliveries for which nothing else can come.
    Sure,
    /// Those that wait for something else, and no longer than until a deadline.
    Limited,
}

#[derive(Default)]
struct State {
    passed: Duration,
    timers: BTreeMap<Key, Timer>,
    numbers: u64,
    resting: isize,
    limited: isize,
    random: u64,
}

enum Timer {
    Sleep { waker: Waker, rests: bool },
    Alarm(Box<dyn FnOnce() + Send>),
}

/// 2026-01-01T00:00:00Z, where every manual clock begins.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

impl Manual {
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub(super) fn new(seed: u64) -> Self {
        let state = State { random: seed, ..State::default() };
        Self { start: Instant::now(), state: Mutex::new(state), notice: OnceLock::new() }
    }

    pub(super) fn now(&self) -> Instant {
        self.start + self.with(|state| state.passed)
    }

    pub(super) fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + BEGINNING + self.with(|state| state.passed)
    }

    /// SplitMix64: small, and good enough to spread things.
    pub(super) fn random(&self) -> u64 {
        self.with(|state| {
            state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut bits = state.random;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            bits ^ (bits >> 31)
        })
    }

    pub(super) fn sleep_until(self: &Arc<Self>, at: Instant, rests: bool) -> Sleep {
        Sleep { clock: self.clone(), at: at.saturating_duration_since(self.start), key: None, rests }
    }

    pub(super) fn alarm(self: &Arc<Self>, at: Instant, ring: Box<dyn FnOnce() + Send>) -> Alarm {
        let at = at.saturating_duration_since(self.start);
        let key = self.with(|state| state.insert(at, Timer::Alarm(ring)));
        Alarm::timer(self, key)
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.with(|state| state.timers.keys().next().map(|(at, _)| self.start + *at))
    }

    pub(super) fn advance_to(&self, at: Instant) {
        let target = at.saturating_duration_since(self.start);
        while let Some(timer) = self.with(|state| state.next_until(target)) {
            // Without the lock: both may run anybody's code.
            match timer {
                Timer::Sleep { waker, .. } => waker.wake(),
                Timer::Alarm(ring) => ring(),
            }
        }
    }

    /// How many rest; with those that only a deadline is sure to end.
    #[cfg(feature = "testing")]
    pub(super) fn resting(&self, limited: bool) -> usize {
        let of = |state: &mut State| state.resting + if limited { state.limited } else { 0 };
        self.with(of).max(0).unsigned_abs()
    }

    /// Changes how many wait.
    pub(super) fn weigh(&self, who: Waiters, change: isize) {
        self.with(|state| match who {
            Waiters::Sure => state.resting += change,
            Waiters::Limited => state.limited += change,
        });
    }

    /// Tells that more may wait than before.
    pub(super) fn notice(&self) {
        if let Some(notice) = self.notice.get() {
            notice();
        }
    }

    #[cfg(feature = "testing")]
    pub(super) fn watch_resting(&self, notice: Box<dyn Fn() + Send + Sync>) {
        // One bus has one clock, and one harness.
        let _ = self.notice.set(notice);
    }

    /// Takes a timer back; dropped outside of the lock.
    pub(super) fn forget(&self, key: Key) {
        drop(self.with(|state| state.take(key)));
    }

    fn with<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        step(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn insert(&mut self, at: Duration, timer: Timer) -> Key {
        self.numbers += 1;
        let key = (at, self.numbers);
        self.resting += isize::from(timer.rests());
        self.timers.insert(key, timer);
        key
    }

    fn take(&mut self, key: Key) -> Option<Timer> {
        let timer = self.timers.remove(&key)?;
        // Who is woken does not rest any more, also before its task runs.
        self.resting -= isize::from(timer.rests());
        Some(timer)
    }

    /// Goes to the next timer that is not after `target`, or to `target`.
    fn next_until(&mut self, target: Duration) -> Option<Timer> {
        let next = self.timers.keys().next().copied().filter(|(at, _)| *at <= target);
        self.passed = self.passed.max(next.map_or(target, |(at, _)| at));
        self.take(next?)
    }
}

impl Timer {
    fn rests(&self) -> bool {
        matches!(self, Self::Sleep { rests: true, .. })
    }
}

/// Waits for a time.
pub(super) struct Sleep {
    clock: Arc<Manual>,
    at: Duration,
    key: Option<Key>,
    rests: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let known = this.key.take();
        let (set, before) = this.clock.with(|state| {
            let before = known.and_then(|key| state.take(key));
            if state.passed >= this.at {
                return (None, before);
            }
            let timer = Timer::Sleep { waker: cx.waker().clone(), rests: this.rests };
            (Some(state.insert(this.at, timer)), before)
        });
        drop(before);
        this.key = set;
        if set.is_none() {
            return Poll::Ready(());
        }
        if this.rests && known.is_none() {
            this.clock.notice();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.clock.forget(key);
        }
    }
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|state| {
            f.debug_struct("Manual").field("passed", &state.passed).field("timers", &state.timers.len()).finish()
        })
    }
}

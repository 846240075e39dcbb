use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use tokio::task::yield_now;

use super::manual::{Manual, Waiters};

/// For how many deliveries that wait for a manual clock a piece of work stands: as long as it waits, and nobody has
/// woken it, and else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) among: Waiters,
    pub(super) waiting: isize,
    pub(super) awake: isize,
}

/// Runs work that has this weight.
pub(super) async fn watch<T>(clock: &Arc<Manual>, weight: Weight, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let watched = Watched::new(clock, weight);
    let waker = Waker::from(watched.0.clone());
    poll_fn(move |cx| {
        if watched.0.was_woken(cx.waker()) {
            // A runtime wakes some only when it has nothing else to do: those that yielded, or had their share. So
            // is this task, after them; it waits if by then nobody woke the work.
            let _ = pin!(yield_now()).poll(cx);
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}

/// Ends the count when the work is done, or dropped.
struct Watched(Arc<Watch>);

impl Watched {
    fn new(clock: &Arc<Manual>, weight: Weight) -> Self {
        clock.weigh(weight.among, weight.awake);
        let state = State { task: None, woken: true, counted: weight.awake };
        Self(Arc::new(Watch { clock: clock.clone(), weight, state: Mutex::new(state) }))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        {
            let mut state = self.0.state();
            self.0.count(&mut state, 0);
            // Whoever wakes it later counts nothing.
            state.woken = true;
        }
        self.0.clock.notice();
    }
}

struct Watch {
    clock: Arc<Manual>,
    weight: Weight,
    state: Mutex<State>,
}

struct State {
    task: Option<Waker>,
    woken: bool,
    counted: isize,
}

impl Watch {
    /// Whether the work was woken since it ran last; else it waits from here on.
    fn was_woken(&self, task: &Waker) -> bool {
        let woken = {
            let mut state = self.state();
            state.task = Some(task.clone());
            if !state.woken {
                self.count(&mut state, self.weight.waiting);
            }
            std::mem::take(&mut state.woken)
        };
        if !woken {
            self.clock.notice();
        }
        woken
    }

    fn count(&self, state: &mut State, weight: isize) {
        let before = std::mem::replace(&mut state.counted, weight);
        self.clock.weigh(self.weight.among, weight - before);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        let task = {
            let mut state = self.state();
            if !std::mem::replace(&mut state.woken, true) {
                self.count(&mut state, self.weight.awake);
            }
            state.task.clone()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

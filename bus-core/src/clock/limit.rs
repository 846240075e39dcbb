use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Instant,
};

use super::{Elapsed, manual::Manual};

/// Runs `work` until `deadline` on a manual clock. As long as the work waits, and nobody has woken it, it counts
/// as limited: nothing but the deadline is sure to come.
pub(super) async fn limit<T>(
    clock: &Arc<Manual>,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    let mut late = pin!(clock.sleep_until(deadline, false));
    let limited = Limited(Arc::new(Watch { clock: clock.clone(), state: Mutex::default() }));
    let waker = Waker::from(limited.0.clone());
    poll_fn(move |cx| {
        limited.0.running(cx.waker());
        // Also the deadline wakes through the watch: who is woken does not wait, even before it runs.
        let mut watched = Context::from_waker(&waker);
        if let Poll::Ready(done) = work.as_mut().poll(&mut watched) {
            return Poll::Ready(Ok(done));
        }
        if Pin::as_mut(&mut late).poll(&mut watched).is_ready() {
            return Poll::Ready(Err(Elapsed));
        }
        limited.0.waiting();
        Poll::Pending
    })
    .await
}

/// Ends the count when the work is dropped.
struct Limited(Arc<Watch>);

impl Drop for Limited {
    fn drop(&mut self) {
        self.0.wake_up(&mut self.0.state());
    }
}

struct Watch {
    clock: Arc<Manual>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    task: Option<Waker>,
    woken: bool,
    counted: bool,
}

impl Watch {
    fn running(&self, task: &Waker) {
        let mut state = self.state();
        self.wake_up(&mut state);
        state.woken = false;
        state.task = Some(task.clone());
    }

    fn waiting(&self) {
        let mut state = self.state();
        if !state.woken {
            state.counted = true;
            self.clock.limited(1);
            drop(state);
            self.clock.notice();
        }
    }

    fn wake_up(&self, state: &mut State) {
        if std::mem::take(&mut state.counted) {
            self.clock.limited(-1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        let task = {
            let mut state = self.state();
            state.woken = true;
            self.wake_up(&mut state);
            state.task.clone()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

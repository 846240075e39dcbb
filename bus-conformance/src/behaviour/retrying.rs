use std::time::{Duration, Instant};

use bus_core::{
    Retry,
    clock::Clock,
    consumer::{Context, Failure},
    fault::Fault,
};
use tokio::sync::mpsc;

use crate::{
    Place, lying,
    messages::Ticked,
    probe::{Probe, watched},
    soon,
};

/// As many attempts as the policy says, in turn.
pub async fn immediate_retries_come_one_after_the_other(place: Place) {
    keeps_its_pauses(place, Retry::immediate(4), [0.0; 4]).await;
}

/// Every retry waits for the same time.
pub async fn retries_at_an_interval_each_wait_for_it(place: Place) {
    keeps_its_pauses(place, Retry::interval(3, millis(4.0)), [4.0; 3]).await;
}

/// One retry for each of the pauses, also where they do not grow.
pub async fn retries_at_intervals_wait_for_each_of_them_in_turn(place: Place) {
    keeps_its_pauses(place, Retry::intervals([8.0, 1.0, 4.0].map(millis)), [8.0, 1.0, 4.0]).await;
}

/// Every retry waits longer than the one before it, by the same time.
pub async fn incremental_retries_wait_longer_each_time(place: Place) {
    keeps_its_pauses(place, Retry::incremental(3, millis(2.0), millis(3.0)), [2.0, 5.0, 8.0]).await;
}

/// Every retry waits for about twice as long as the one before it, no longer than the longest pause; chance takes
/// a quarter at the most.
pub async fn exponential_retries_double_their_pause_up_to_its_limit(place: Place) {
    keeps_its_pauses(place, Retry::exponential(4, millis(2.0)..millis(6.0)), [1.5, 3.0, 4.5, 4.5]).await;
}

fn millis(millis: f64) -> Duration {
    Duration::from_secs_f64(millis / 1000.0)
}

/// An attempt: its number, and when it began and ended.
struct Attempt {
    number: u32,
    began: Instant,
    ended: Instant,
}

/// A message that fails each time is tried again as often as there are pauses, and not before each of them is over;
/// then it lies in `_error`, and says how often. How long it took besides is the machine's affair.
async fn keeps_its_pauses<const PAUSES: usize>(place: Place, retry: Retry, pauses: [f64; PAUSES]) {
    let (attempts, mut seen) = mpsc::unbounded_channel();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.retry(retry).consumer(move |_: Ticked, ctx: Context| {
                    let (attempts, began) = (attempts.clone(), Clock::real().now());
                    async move {
                        let attempt = Attempt { number: ctx.attempt(), began, ended: Clock::real().now() };
                        // Whoever watched may be gone.
                        let _ = attempts.send(attempt);
                        Err::<(), Failure>("no such tick".into())
                    }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let mut before = soon("the first attempt", seen.recv()).await.unwrap();
    assert_eq!(before.number, 0);
    for (number, pause) in (1..).zip(pauses.map(millis)) {
        let attempt = soon("another attempt", seen.recv()).await.unwrap();
        assert_eq!(attempt.number, number);
        assert!(attempt.began >= before.ended + pause, "attempt {number} came before its pause of {pause:?} was over");
        before = attempt;
    }
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    let retries = i32::try_from(PAUSES).unwrap();
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), Some(&retries.into()));
    bus.stop().await;
    assert!(seen.try_recv().is_err(), "too many attempts");
}

/// The last failure is the one that is told, in `_error` and by one fault; the place is free for the next message.
pub async fn a_message_whose_retries_are_used_up_ends_in_error_with_the_last_failure(place: Place) {
    let (probe, faults) = (Probe::open(), Probe::open());
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.concurrency(1).retry(Retry::immediate(2)).consumer(move |message: Ticked, ctx: Context| {
                    let (number, attempt) = (message.number, ctx.attempt());
                    let handled = watched.clone().handle(message, ctx);
                    async move {
                        handled.await?;
                        if number == 1 { Err(Failure::from(format!("attempt {attempt} failed"))) } else { Ok(()) }
                    }
                })
            })
            .endpoint("watch", |e| e.consumer(watched!(faults, Fault<Ticked>)))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    bus.publish(Ticked { number: 2 }).await.unwrap();
    let mut handled = Vec::new();
    for _ in 0..4 {
        let seen = probe.next().await;
        handled.push((seen.message.number, seen.ctx.attempt()));
    }
    handled.sort_unstable();
    assert_eq!(handled, [(1, 0), (1, 1), (1, 2), (2, 0)]);
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("attempt 2 failed"));
    assert_eq!(letter.headers.get("MT-Fault-RetryCount"), Some(&2.into()));
    let fault = faults.next().await.message;
    assert_eq!(fault.exceptions[0].message.as_deref(), Some("attempt 2 failed"));
    bus.stop().await;
    assert_eq!((probe.left().await, faults.left().await), (0, 0));
}

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_manual_clock_stands_still_and_wakes_who_is_due_when_it_is_moved() {
    let clock = Clock::manual(1);
    let (start, wall) = (clock.now(), clock.wall());
    let (mut early, mut late) = (Box::pin(clock.sleep(SECOND)), Box::pin(clock.sleep(3 * SECOND)));
    assert!((&mut early).now_or_never().is_none());
    assert!((&mut late).now_or_never().is_none());
    assert_eq!(clock.next_timer(), Some(start + SECOND));
    clock.advance_to(start + 2 * SECOND);
    assert!((&mut early).now_or_never().is_some());
    assert!((&mut late).now_or_never().is_none());
    assert_eq!((clock.now() - start, clock.wall().duration_since(wall).unwrap()), (2 * SECOND, 2 * SECOND));
    clock.advance_to(start);
    assert_eq!(clock.now() - start, 2 * SECOND, "it does not go back");
    drop(late);
    assert_eq!(clock.next_timer(), None, "a sleeper that is dropped leaves nothing behind");
}

#[tokio::test]
async fn alarms_ring_in_order_at_their_times_unless_they_are_dropped() {
    let clock = Clock::manual(1);
    let rung: Arc<Mutex<Vec<(u32, Duration)>>> = Arc::default();
    let start = clock.now();
    let set = |number, at| {
        let (rung, now) = (rung.clone(), clock.clone());
        clock.alarm(start + at, move || rung.lock().unwrap().push((number, now.now() - start)))
    };
    let _alarms = [set(1, 2 * SECOND), set(2, SECOND), set(3, 2 * SECOND)];
    drop(set(4, SECOND));
    clock.advance_to(start + 5 * SECOND);
    assert_eq!(*rung.lock().unwrap(), [(2, SECOND), (1, 2 * SECOND), (3, 2 * SECOND)]);
}

#[tokio::test]
async fn an_alarm_of_the_real_clock_rings_too() {
    let (rung, heard) = tokio::sync::oneshot::channel();
    let _alarm = Clock::real().alarm(Clock::real().now(), move || rung.send(()).unwrap());
    heard.await.unwrap();
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn who_rests_counts_until_its_time_has_come_or_it_is_dropped() {
    let clock = Clock::manual(1);
    let mut resting = Box::pin(clock.rest_until(clock.after(SECOND)));
    let mut other = Box::pin(clock.rest_until(clock.after(SECOND)));
    assert_eq!(clock.resting(true), 0, "it has not begun");
    assert!((&mut resting).now_or_never().is_none());
    assert!((&mut resting).now_or_never().is_none());
    assert!((&mut other).now_or_never().is_none());
    assert_eq!(clock.resting(true), 2);
    drop(other);
    assert_eq!(clock.resting(true), 1);
    clock.advance_to(clock.after(SECOND));
    assert_eq!(clock.resting(true), 0, "woken, though it did not run yet");
    resting.await;
}

#[test]
fn chance_follows_from_the_seed() {
    let throws = |seed| -> Vec<f64> {
        let clock = Clock::manual(seed);
        (0..100).map(|_| clock.chance()).collect()
    };
    assert_eq!(throws(7), throws(7));
    assert_ne!(throws(7), throws(8));
    assert!(throws(7).iter().all(|throw| (0.0..=1.0).contains(throw)));
    assert!((throws(7).iter().sum::<f64>() / 100.0 - 0.5).abs() < 0.1);
    assert_ne!(Clock::real().chance(), Clock::real().chance());
}

/// Polls it, and again when everybody else had his turn.
#[cfg(feature = "testing")]
async fn waits<T>(work: &mut Pin<Box<impl Future<Output = T>>>) -> bool {
    for _ in 0..2 {
        if work.now_or_never().is_some() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn who_waits_under_a_limit_counts_until_it_is_woken_or_its_time_has_come() {
    let clock = Clock::manual(1);
    let (send, receive) = tokio::sync::oneshot::channel();
    let mut work = Box::pin(clock.limit(clock.after(SECOND), receive));
    let mut late = Box::pin(clock.limit(clock.after(SECOND), std::future::pending::<()>()));
    let mut dropped = Box::pin(clock.limit(clock.after(SECOND), std::future::pending::<()>()));
    assert_eq!((clock.resting(true), clock.resting(false)), (0, 0));
    assert!(waits(&mut work).await && waits(&mut late).await && waits(&mut dropped).await);
    assert_eq!((clock.resting(true), clock.resting(false)), (0, 3));
    drop(dropped);
    assert_eq!(clock.resting(false), 2);
    send.send(5).unwrap();
    assert_eq!(clock.resting(false), 1, "woken, though it did not run yet");
    assert_eq!(work.await, Ok(Ok(5)));
    clock.advance_to(clock.after(SECOND));
    assert_eq!(clock.resting(false), 0);
    assert_eq!(late.await, Err(Elapsed));
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn who_yields_does_not_wait() {
    let clock = Clock::manual(1);
    let mut yielding = Box::pin(clock.limit(clock.after(SECOND), async {
        loop {
            tokio::task::yield_now().await;
        }
    }));
    for _ in 0..5 {
        assert!(waits::<Result<(), Elapsed>>(&mut yielding).await);
        assert_eq!(clock.resting(false), 0);
    }
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn who_waits_behind_others_counts_and_a_chore_counts_against_it_until_it_is_done() {
    let clock = Clock::manual(1);
    let (send, receive) = tokio::sync::oneshot::channel();
    let mut behind = Box::pin(clock.behind(3, receive));
    assert!(waits(&mut behind).await);
    assert_eq!(clock.resting(true), 3);
    let mut chore = Box::pin(clock.chore(clock.sleep(SECOND)));
    assert!(waits(&mut chore).await);
    assert_eq!(clock.resting(true), 3, "it is done for now");
    clock.advance_to(clock.after(SECOND));
    assert_eq!(clock.resting(true), 2, "it is to be done");
    chore.await;
    assert_eq!(clock.resting(true), 3);
    send.send(()).unwrap();
    assert_eq!(clock.resting(true), 0);
    behind.await.unwrap();
}

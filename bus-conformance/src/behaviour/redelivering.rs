use std::time::{Duration, Instant};

use bus_core::{
    Bus, Retry,
    clock::Clock,
    consumer::{Context, Failure, ResultExt},
    envelope::Envelope,
    fault::Fault,
    transport::DeadLetter,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    Place, lying,
    messages::Ticked,
    probe::{Probe, watched},
    soon,
};

/// A whole second: a broker may count in nothing smaller.
const DELAY: Duration = Duration::from_secs(1);

/// Whether the broker holds messages back for so long.
fn delays(place: &Place) -> bool {
    place.capabilities().delay_max.is_some_and(|longest| longest >= DELAY)
}

/// An attempt: in which round, which one of it, and when it was made.
#[derive(Debug)]
struct Attempt {
    round: u32,
    number: u32,
    id: Option<Uuid>,
    at: Instant,
}

/// A bus whose endpoint `work` fails each message, retries it once, and redelivers it twice.
async fn failing(place: &Place) -> (Bus, mpsc::UnboundedReceiver<Attempt>) {
    let (attempts, seen) = mpsc::unbounded_channel();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                let policy = e.retry(Retry::immediate(1)).redeliver([DELAY, DELAY]).allow_reorder();
                policy.consumer(move |_: Ticked, ctx: Context| {
                    let (round, number) = (ctx.redelivery_count(), ctx.attempt());
                    let attempt = Attempt { round, number, id: ctx.message_id(), at: Clock::real().now() };
                    // Whoever watched may be gone.
                    let _ = attempts.send(attempt);
                    async { Err::<(), Failure>("no such tick".into()) }
                })
            })
        })
        .await;
    (bus, seen)
}

/// Both attempts of a round, which comes a delay after the one before.
async fn round(seen: &mut mpsc::UnboundedReceiver<Attempt>, number: u32, id: Uuid, before: &mut Option<Instant>) {
    for attempt in 0..2 {
        let next = soon("another attempt", seen.recv()).await.expect("the bus runs");
        assert_eq!((next.round, next.number, next.id), (number, attempt, Some(id)));
        if attempt == 0
            && let Some(before) = before
        {
            assert!(next.at >= *before + DELAY, "round {number} came before its delay was over");
        }
        *before = Some(next.at);
    }
}

/// A message in `_error` that made two rounds, as MassTransit counts them.
fn made_two_rounds(letter: &DeadLetter) {
    let envelope = Envelope::read(&letter.body).unwrap();
    assert_eq!(envelope.headers().get("MT-Redelivery-Count"), Some(&2.into()));
    for (header, count) in [("MT-Redelivery-Count", 2), ("MT-Fault-RedeliveryCount", 2), ("MT-Fault-RetryCount", 1)] {
        assert_eq!(letter.headers.get(header), Some(&count.into()), "{header}");
    }
}

/// Where the broker holds messages back: what failed comes again after each of the delays, with all its retries, and
/// lies in `_error` after the last round. Others are told of it then, and once.
pub async fn a_failed_message_comes_again_after_each_delay_and_ends_in_error_after_the_last(place: Place) {
    if !delays(&place) {
        return;
    }
    let faults = Probe::open();
    let watch = place.started(|b| b.endpoint("watch", |e| e.consumer(watched!(faults, Fault<Ticked>)))).await;
    let (bus, mut seen) = failing(&place).await;
    let (id, mut before) = (Uuid::now_v7(), None);
    bus.publish(Ticked { number: 1 }).message_id(id).header("tenant", "blue").await.unwrap();
    for number in 0..3 {
        assert_eq!(faults.left().await, 0, "it is not given up yet");
        round(&mut seen, number, id, &mut before).await;
    }
    let transport = place.transport().await;
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    made_two_rounds(letter);
    assert_eq!(letter.message_id.as_deref(), Some(&*id.to_string()));
    assert_eq!(Envelope::read(&letter.body).unwrap().headers().get("tenant"), Some(&"blue".into()));
    let fault = faults.next().await;
    assert_eq!(fault.message.faulted_message_id, Some(id));
    assert_eq!(fault.ctx.header("MT-Fault-RedeliveryCount"), Some(&2.into()));
    bus.stop().await;
    watch.stop().await;
    assert_eq!((seen.try_recv().is_ok(), faults.left().await), (false, 0));
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

/// Where the broker holds messages back: each round may be in another process, and none is made twice.
pub async fn rounds_of_redelivery_are_counted_across_restarts(place: Place) {
    if !delays(&place) {
        return;
    }
    let (id, mut before) = (Uuid::now_v7(), None);
    for number in 0..3 {
        let (bus, mut seen) = failing(&place).await;
        if number == 0 {
            bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
        }
        round(&mut seen, number, id, &mut before).await;
        // Also what becomes of the message is done by then.
        bus.stop().await;
        assert!(seen.try_recv().is_err(), "a round too many");
    }
    let [letter] = &lying(&*place.transport().await, "work_error", 1).await[..] else { panic!("one message") };
    made_two_rounds(letter);
}

/// What is said to fail each time goes to `_error` at once, and what is excluded from the retries does, too.
pub async fn a_permanent_failure_is_not_redelivered(place: Place) {
    if !delays(&place) {
        return;
    }
    let probe = Probe::open();
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                let policy = e.retry(Retry::immediate(1).unless::<std::fmt::Error>()).redeliver([DELAY]);
                policy.allow_reorder().consumer(move |message: Ticked, ctx: Context| {
                    let number = message.number;
                    let handled = watched.clone().handle(message, ctx);
                    async move {
                        handled.await?;
                        match number {
                            1 => Err("no such tick").permanent()?,
                            _ => Err(std::fmt::Error)?,
                        }
                        Ok::<(), Failure>(())
                    }
                })
            })
        })
        .await;
    for number in [1, 2] {
        bus.publish(Ticked { number }).await.unwrap();
    }
    let letters = lying(&*place.transport().await, "work_error", 2).await;
    for letter in &letters {
        assert!(letter.fault_message().is_some(), "{letter:?}");
        assert_eq!(letter.headers.get("MT-Fault-RedeliveryCount"), None);
    }
    bus.stop().await;
    assert_eq!(probe.left().await, 2);
}

/// A redelivery brings the message to all of its consumers; those that an outbox knows to be done with it do not run
/// again. What succeeds at last is nowhere afterwards.
pub async fn with_an_outbox_a_redelivery_runs_only_what_failed(place: Place) {
    if !delays(&place) {
        return;
    }
    let (done, again) = (Probe::open(), Probe::open());
    let watched = again.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                let policy = e.outbox().redeliver([DELAY]).allow_reorder();
                policy.consumer(watched!(done, Ticked)).consumer(move |message: Ticked, ctx: Context| {
                    let round = ctx.redelivery_count();
                    let handled = watched.clone().handle(message, ctx);
                    async move {
                        handled.await?;
                        if round == 0 { Err(Failure::from("not yet")) } else { Ok(()) }
                    }
                })
            })
        })
        .await;
    let (id, begun) = (Uuid::now_v7(), Clock::real().now());
    bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
    assert_eq!(again.next().await.ctx.redelivery_count(), 0);
    let second = again.next().await.ctx;
    assert_eq!((second.redelivery_count(), second.message_id(), second.redelivered()), (1, Some(id), true));
    assert!(Clock::real().now() >= begun + DELAY, "it came before its delay was over");
    bus.stop().await;
    assert_eq!((done.left().await, again.left().await), (1, 0));
    let transport = place.transport().await;
    for queue in ["work", "work_error"] {
        assert_eq!(transport.browse(queue, 10).await.unwrap().len(), 0, "{queue}");
    }
}

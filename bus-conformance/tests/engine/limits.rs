//! Timeouts and concurrency limits of consumers.

use std::time::Duration;

use bus_conformance::{
    Probe,
    faulty::{Step, carrying},
    soon,
};
use bus_core::{
    Error, Retry, consumer,
    consumer::{Context, Failure},
    filter,
};

use crate::stage::{Attempts, Bomb, Stage, Ticked, Tocked, quiet};

const MOMENT: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_handler_that_hangs_is_dropped_at_its_timeout_and_tried_again_until_error() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let handler = probe.handler();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.timeout(MOMENT).retry(Retry::immediate(1)).consumer(move |ticked: Ticked, ctx: Context| {
                    let hanging = handler(ticked, ctx.clone());
                    async move {
                        ctx.publish(Tocked { number: 1 }).await?;
                        hanging.await
                    }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = "the consumer did not finish within its timeout of 20ms, and was dropped";
    assert_eq!(letter.fault_message(), Some(said));
    assert_eq!(letter.fault_type(), Some("bus_core::pipeline::timeout::TimedOut"));
    let [first, second] = [probe.next().await.ctx, probe.next().await.ctx];
    assert_eq!((first.attempt(), second.attempt(), probe.left().await), (0, 1, 0));
    let late = first.publish(Tocked { number: 2 }).await;
    assert!(matches!(late, Err(Error::ContextClosed)), "{late:?}");
    let sent = stage.faults.steps().iter().filter_map(Step::submitted).filter(|sent| carrying::<Tocked>(sent)).count();
    assert_eq!(sent, 2, "what an attempt sent before its end has left");
    bus.stop().await;
}

#[tokio::test]
async fn a_handler_whose_destructor_panics_at_its_timeout_is_late_all_the_same() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.timeout(MOMENT).retry(Retry::immediate(1)).consumer(move |_: Ticked, ctx: Context| {
                    noted.note(ctx.attempt());
                    async {
                        let _bomb = Bomb;
                        std::future::pending::<Result<(), Failure>>().await
                    }
                })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    let said = letter.fault_message().unwrap();
    assert!(said.contains("its timeout of 20ms"), "{said}");
    assert_eq!(attempts.so_far(), [0, 1]);
    assert!(bus.health().healthy, "{:?}", bus.health());
    bus.stop().await;
}

#[tokio::test]
async fn the_timeout_covers_the_filters_and_not_the_confirms() {
    let stage = Stage::new().await;
    let withheld = stage.faults.withhold(carrying::<Tocked>);
    let bus = stage
        .bus(|b| {
            b.endpoint("sends", |e| {
                e.timeout(MOMENT).consumer(async |_: Ticked, ctx: Context| ctx.publish(Tocked { number: 1 }).await)
            })
            .endpoint("filtered", |e| {
                e.timeout(MOMENT)
                    .filter(filter::from_fn(|_, _| std::future::pending()))
                    .consumer(async |_: Ticked| Ok::<(), Failure>(()))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    // By the same clock, the other endpoint's time has passed too.
    stage.lying("filtered_error", 1).await;
    quiet().await;
    assert_eq!((stage.has_completed("sends"), stage.count("sends_error").await), (false, 0));
    withheld.release();
    stage.completed("sends", 1).await;
    bus.stop().await;
    assert_eq!(stage.count("sends_error").await, 0);
}

#[tokio::test]
async fn a_timeout_in_which_a_send_waits_for_a_broker_that_is_away_is_no_attempt() {
    for away in [true, false] {
        let stage = Stage::new().await;
        let withheld = stage.faults.withhold(carrying::<Tocked>);
        let attempts = Attempts::default();
        let noted = attempts.clone();
        let bus = stage
            .bus(|b| {
                b.endpoint("work", |e| {
                    e.timeout(MOMENT).consumer(move |_: Ticked, ctx: Context| {
                        noted.note(ctx.attempt());
                        async move { ctx.publish(Tocked { number: 1 }).confirmed().await }
                    })
                })
            })
            .await;
        stage.faults.away(away.then_some("a scripted outage"));
        bus.publish(Ticked { number: 1 }).await.unwrap();
        let again = |steps: &[Step]| {
            let sent = steps.iter().filter_map(Step::submitted).filter(|sent| carrying::<Tocked>(sent));
            if away { sent.count() > 1 } else { steps.iter().any(|step| step.completes("work")) }
        };
        stage.faults.until("a second try, or the end", again).await;
        assert_eq!(stage.count("work_error").await, usize::from(!away));
        stage.faults.heal();
        withheld.release();
        stage.completed("work", 1).await;
        stage.faults.away(None);
        bus.stop().await;
        assert_eq!(stage.count("work_error").await, usize::from(!away));
        assert!(attempts.so_far().iter().all(|attempt| *attempt == 0), "uncounted: {attempts:?}");
    }
}

#[tokio::test]
async fn what_a_consumer_says_of_itself_outweighs_its_endpoint() {
    let stage = Stage::new().await;
    let (patient, hasty) = (Probe::<Ticked>::closed(), Probe::<Tocked>::closed());
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.consumer_with(patient.handler(), |c| c.timeout(Duration::MAX))
                    .consumer_with(hasty.handler(), |c| c.retry(Retry::none()))
                    .timeout(MOMENT)
                    .retry(Retry::immediate(3))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    patient.next().await;
    bus.publish(Tocked { number: 1 }).await.unwrap();
    stage.lying("work_error", 1).await;
    hasty.next().await;
    assert_eq!((patient.left().await, hasty.left().await), (0, 0));
    patient.let_through(1);
    stage.completed("work", 2).await;
    bus.stop().await;
    assert_eq!(stage.count("work_error").await, 1);
}

#[tokio::test]
async fn a_limit_of_one_makes_one_consumer_serial_and_leaves_the_others_alone() {
    let stage = Stage::new().await;
    let (serial, free) = (Probe::<Ticked>::closed(), Probe::<Tocked>::closed());
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.consumer_with(serial.handler(), |c| c.concurrency(1)).consumer(free.handler()))
        })
        .await;
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
        bus.publish(Tocked { number }).await.unwrap();
    }
    free.take(3).await;
    for number in 0..3 {
        assert_eq!(serial.next().await.message.number, number, "in turn");
        quiet().await;
        assert_eq!(serial.left().await, 0, "one at a time");
        serial.let_through(1);
    }
    free.let_through(3);
    stage.completed("work", 6).await;
    bus.stop().await;
}

/// One consumer of two types.
struct Both(Probe<Ticked>, Probe<Tocked>);

#[consumer(crate = bus_core)]
impl Both {
    #[handle]
    async fn ticked(&self, ticked: Ticked, ctx: &Context) -> Result<(), Failure> {
        self.0.clone().handle(ticked, ctx.clone()).await
    }

    #[handle]
    async fn tocked(&self, tocked: Tocked, ctx: &Context) -> Result<(), Failure> {
        self.1.clone().handle(tocked, ctx.clone()).await
    }
}

#[tokio::test]
async fn the_limit_of_a_consumer_is_one_over_all_its_types() {
    let stage = Stage::new().await;
    let (ticked, tocked) = (Probe::closed(), Probe::open());
    let both = Both(ticked.clone(), tocked.clone());
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer_with(both, |c| c.concurrency(1)))).await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    ticked.next().await;
    bus.publish(Tocked { number: 1 }).await.unwrap();
    quiet().await;
    assert_eq!(tocked.left().await, 0);
    ticked.let_through(1);
    tocked.next().await;
    stage.completed("work", 2).await;
    bus.stop().await;
}

#[tokio::test]
async fn a_pause_before_a_retry_leaves_the_place_to_others() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.consumer_with(
                    move |ticked: Ticked| {
                        noted.note(ticked.number);
                        async move { if ticked.number == 1 { Err(Failure::from("no")) } else { Ok(()) } }
                    },
                    |c| c.concurrency(1).retry(Retry::interval(1, Duration::MAX)),
                )
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    bus.publish(Ticked { number: 2 }).await.unwrap();
    stage.completed("work", 1).await;
    assert_eq!(attempts.so_far(), [1, 2]);
    soon("the stop", bus.stop()).await;
    assert_eq!((stage.count("work").await, stage.count("work_error").await), (1, 0));
}

#[tokio::test]
async fn a_stop_returns_a_message_that_waits_for_the_limit() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage.bus(|b| b.endpoint("work", |e| e.consumer_with(probe.handler(), |c| c.concurrency(1)))).await;
    for number in 0..3 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.next().await;
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    assert_eq!(stage.count("work").await, 2, "the two that wait are back while the first still runs");
    probe.let_through(3);
    soon("the stop", stop).await.unwrap();
    assert_eq!((stage.count("work").await, probe.left().await), (2, 0));
}

#[tokio::test]
async fn a_stop_lets_a_message_go_on_to_its_next_consumer_if_that_has_room() {
    let stage = Stage::new().await;
    let (first, second) = (Probe::<Ticked>::closed(), Probe::<Ticked>::open());
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.consumer(first.handler()).consumer_with(second.handler(), |c| c.concurrency(1)))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    first.next().await;
    let stop = tokio::spawn({
        let bus = bus.clone();
        async move { bus.stop().await }
    });
    quiet().await;
    first.let_through(1);
    soon("the stop", stop).await.unwrap();
    assert_eq!((second.left().await, stage.count("work").await), (1, 0));
}

#[tokio::test]
async fn limits_of_nothing_are_refused_at_build_with_names() {
    let stage = Stage::new().await;
    let nothing = Both(Probe::open(), Probe::open());
    let refused = stage
        .place
        .builder()
        .endpoint("work", |e| {
            e.timeout(Duration::ZERO)
                .consumer_with(nothing, |c| c.concurrency(0))
                .consumer_with(async |_: Ticked| Ok::<(), Failure>(()), |c| c.timeout(Duration::ZERO))
        })
        .build()
        .unwrap_err()
        .to_string();
    assert!(refused.contains("endpoint `work`: the timeout must be longer than zero"), "{refused}");
    assert!(refused.contains("endpoint `work`, consumer `Both`: the concurrency must be at least 1"), "{refused}");
    let function = "endpoint `work`, consumer `a closure`: the timeout must be longer than zero";
    assert!(refused.contains(function), "{refused}");
}

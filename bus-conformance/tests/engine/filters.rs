//! Filters and layers of the user's around a consumer.

use std::{
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus_conformance::{Probe, soon};
use bus_core::{
    BoxError, Error, Retry,
    consumer::{Context, Failure},
    filter::{self, Filter, Next},
    transport::DeadLetter,
};
use tower::{
    ServiceBuilder,
    limit::ConcurrencyLimitLayer,
    timeout::TimeoutLayer,
    util::{BoxCloneSyncServiceLayer, MapErrLayer, MapRequestLayer},
};

use crate::stage::{Attempts, Stage, Ticked, elsewhere, quiet};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn so_far(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Notes when it begins and when it ends.
struct Noted(&'static str, Log);

impl Filter for Noted {
    async fn call(&self, ctx: Context, next: Next) -> Result<(), Failure> {
        let Self(name, log) = self;
        log.note(format!("{name} {}", ctx.attempt()));
        let result = next.run().await;
        log.note(format!("{name} ends with {}", if result.is_ok() { "success" } else { "an error" }));
        result
    }
}

#[tokio::test]
async fn filters_and_layers_run_in_the_order_they_were_added_in_each_attempt() {
    let stage = Stage::new().await;
    let log = Log::default();
    let [layer, handler] = [log.clone(), log.clone()];
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(1))
                    .consumer_with(
                        move |_: Ticked, ctx: Context| {
                            handler.note(format!("consumer {}", ctx.attempt()));
                            async move { if ctx.attempt() == 0 { Err(Failure::from("not yet")) } else { Ok(()) } }
                        },
                        |c| c.filter(Noted("own", log.clone())),
                    )
                    .filter(Noted("outer", log.clone()))
                    .layer(MapRequestLayer::new(move |ctx: Context| {
                        layer.note(format!("layer {}", ctx.attempt()));
                        ctx
                    }))
                    .filter(Noted("inner", log.clone()))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    bus.stop().await;
    let attempt = |number, result| {
        let begun = ["outer", "layer", "inner", "own", "consumer"].map(|name| format!("{name} {number}"));
        let ended = ["own", "inner", "outer"].map(|name| format!("{name} ends with {result}"));
        [&begun[..], &ended].concat()
    };
    assert_eq!(log.so_far(), [attempt(0, "an error"), attempt(1, "success")].concat());
}

#[tokio::test]
async fn each_consumer_of_an_endpoint_has_its_filters() {
    let stage = Stage::new().await;
    let log = Log::default();
    let fine = async |_: Ticked| Ok::<(), Failure>(());
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.filter(Noted("shared", log.clone()))
                    .consumer_with(fine, |c| c.filter(Noted("own", log.clone())))
                    .consumer(fine)
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    bus.stop().await;
    let begun: Vec<_> = log.so_far().into_iter().filter(|what| what.ends_with(" 0")).collect();
    assert_eq!(begun, ["shared 0", "own 0", "shared 0"]);
}

/// The only message of `work_error`, after a filter did its work around a consumer that fails.
async fn failed_with<F: Filter>(filter: F, attempts: &Attempts) -> (DeadLetter, usize) {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let noted = attempts.clone();
    let noting = filter::from_fn(move |ctx, next| {
        noted.note(ctx.attempt());
        next.run()
    });
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.retry(Retry::immediate(1)).filter(noting).filter(filter).consumer(probe.handler()))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let letter = stage.lying("work_error", 1).await.remove(0);
    bus.stop().await;
    (letter, probe.left().await)
}

#[tokio::test]
async fn a_filter_may_fail_an_attempt_before_and_after_the_consumer() {
    for before in [true, false] {
        let attempts = Attempts::default();
        let failing = filter::from_fn(move |_, next| async move {
            if before {
                "x".parse::<u8>()?;
            }
            next.run().await?;
            Err("x".parse::<u8>().unwrap_err().into())
        });
        let (letter, runs) = failed_with(failing, &attempts).await;
        assert_eq!(letter.fault_message(), Some("invalid digit found in string"));
        assert_eq!(letter.fault_type(), Some("core::num::error::ParseIntError"));
        assert_eq!((attempts.so_far(), runs), (vec![0, 1], if before { 0 } else { 2 }));
    }
}

#[tokio::test]
async fn a_filter_that_panics_fails_the_attempt() {
    let attempts = Attempts::default();
    let panicking = filter::from_fn(|_, _| async { panic!("in a filter") });
    let (letter, runs) = failed_with(panicking, &attempts).await;
    assert_eq!(letter.fault_message(), Some("the consumer panicked: in a filter"));
    assert_eq!((attempts.so_far(), runs), (vec![0, 1], 0));
}

#[tokio::test]
async fn a_filter_may_swallow_the_consumers_error() {
    let stage = Stage::new().await;
    let attempts = Attempts::default();
    let noted = attempts.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.retry(Retry::immediate(5))
                    .filter(filter::from_fn(|_, next| async move {
                        assert_eq!(next.run().await.unwrap_err().to_string(), "no");
                        Ok(())
                    }))
                    .consumer(move |_: Ticked, ctx: Context| {
                        noted.note(ctx.attempt());
                        async { Err::<(), Failure>("no".into()) }
                    })
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    bus.stop().await;
    assert_eq!((attempts.so_far(), stage.count("work_error").await), (vec![0], 0));
}

#[tokio::test]
async fn a_filter_that_does_not_go_on_answers_for_the_consumer() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let bus = stage
        .bus(|b| b.endpoint("work", |e| e.filter(filter::from_fn(|_, _| async { Ok(()) })).consumer(probe.handler())))
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    bus.stop().await;
    assert_eq!((probe.left().await, stage.count("work_error").await), (0, 0));
}

#[tokio::test]
async fn a_context_that_a_filter_keeps_is_closed_after_the_attempt_and_so_is_the_rest_of_the_chain() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let kept: Arc<Mutex<Option<(Context, Next)>>> = Arc::default();
    let keeping = kept.clone();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.filter(filter::from_fn(move |ctx, next| {
                    *keeping.lock().unwrap() = Some((ctx, next));
                    async { Ok(()) }
                }))
                .consumer(probe.handler())
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    stage.completed("work", 1).await;
    let (ctx, next) = kept.lock().unwrap().take().unwrap();
    let sent = ctx.publish(Ticked { number: 2 }).await;
    assert!(matches!(sent, Err(Error::ContextClosed)), "{sent:?}");
    let failure = next.run().await.unwrap_err();
    assert!(matches!(failure.error().downcast_ref(), Some(Error::ContextClosed)), "{failure:?}");
    bus.stop().await;
    assert_eq!(probe.left().await, 0, "the consumer does not run for a message that has its outcome");
}

/// An error of a layer's around another.
#[derive(Debug)]
struct Around(BoxError);

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around")
    }
}

impl std::error::Error for Around {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[tokio::test]
async fn a_consumers_error_comes_through_layers_as_it_was() {
    let stage = Stage::new().await;
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.layer(TimeoutLayer::new(Duration::from_secs(3600)))
                    .layer(ConcurrencyLimitLayer::new(1))
                    .consumer(async |_: Ticked| "x".parse::<u8>().map(drop))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("invalid digit found in string"));
    assert_eq!(letter.fault_type(), Some("core::num::error::ParseIntError"));
    bus.stop().await;
}

#[tokio::test]
async fn a_payload_that_does_not_decode_is_not_retried_through_layers_either() {
    for wrapping in [false, true] {
        let stage = Stage::new().await;
        let attempts = Attempts::default();
        let noted = attempts.clone();
        let probe = Probe::<Ticked>::open();
        let bus = stage
            .bus(|b| {
                b.endpoint("work", |e| {
                    e.retry(Retry::immediate(5))
                        .layer(MapRequestLayer::new(move |ctx: Context| {
                            noted.note(ctx.attempt());
                            ctx
                        }))
                        .layer(MapErrLayer::new(
                            move |error: BoxError| if wrapping { Around(error).into() } else { error },
                        ))
                        .consumer(probe.handler())
                })
            })
            .await;
        bus.publish(elsewhere::Ticked { number: "seven".to_owned() }).await.unwrap();
        stage.lying("work_error", 1).await;
        bus.stop().await;
        assert_eq!((attempts.so_far(), probe.left().await), (vec![0], 0), "wrapping: {wrapping}");
    }
}

#[tokio::test]
async fn a_layers_own_error_fails_the_attempt() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| e.layer(TimeoutLayer::new(Duration::from_millis(20))).consumer(probe.handler()))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let [letter] = &stage.lying("work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.fault_message(), Some("request timed out"));
    bus.stop().await;
}

#[tokio::test]
async fn a_layers_service_is_ready_before_it_is_called_and_each_attempt_has_its_own() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::closed();
    let bus =
        stage.bus(|b| b.endpoint("work", |e| e.layer(ConcurrencyLimitLayer::new(2)).consumer(probe.handler()))).await;
    for number in 0..4 {
        bus.publish(Ticked { number }).await.unwrap();
    }
    probe.take(2).await;
    quiet().await;
    assert_eq!(probe.left().await, 0, "two run");
    probe.let_through(1);
    probe.next().await;
    quiet().await;
    assert_eq!(probe.left().await, 0, "one more for one that ended");
    probe.let_through(3);
    stage.completed("work", 4).await;
    bus.stop().await;
}

#[tokio::test]
async fn stacks_of_layers_and_services_that_hide_their_types_are_layers_too() {
    let stage = Stage::new().await;
    let probe = Probe::<Ticked>::open();
    let stack = ServiceBuilder::new()
        .layer(ConcurrencyLimitLayer::new(8))
        .map_err(|error: BoxError| error)
        .timeout(Duration::from_secs(3600))
        .into_inner();
    let hidden = BoxCloneSyncServiceLayer::<_, Context, (), BoxError>::new(stack);
    let own = tower::layer::layer_fn(|_| tower::service_fn(|_: Context| async { Ok::<(), Infallible>(()) }));
    let bus = stage
        .bus(|b| {
            b.endpoint("work", |e| {
                e.layer(hidden).consumer(probe.handler()).consumer_with(probe.handler(), |c| c.layer(own))
            })
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    probe.next().await;
    soon("the end", stage.completed("work", 1)).await;
    bus.stop().await;
    assert_eq!(probe.left().await, 0, "the second has an answer of its layer's");
}

//! Start, stop, and what a context may do in between.

use std::future::IntoFuture;

use bus::{
    Error,
    consumer::{Function, IntoConsumer},
    prelude::*,
};
use tokio::sync::mpsc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Step {
    number: u32,
}

type Steps = mpsc::UnboundedReceiver<(Step, Context)>;

/// A consumer that passes on what it gets, with its context.
fn passing() -> (impl IntoConsumer<Function<(Step, Context)>>, Steps) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let pass = move |step: Step, ctx: Context| {
        std::future::ready(sender.send((step, ctx)).map_err(|_| Failure::from("nobody listens")))
    };
    (pass, receiver)
}

#[tokio::test]
async fn a_bus_starts_and_stops_any_number_of_times() {
    let (consumer, mut steps) = passing();
    let bus = bus::builder("memory://restart").endpoint("steps", |e| e.consumer(consumer)).build().unwrap();
    for number in 0..3 {
        bus.start().await.unwrap();
        bus.start().await.unwrap();
        assert!(bus.health().healthy, "{:?}", bus.health());
        bus.publish(Step { number }).await.unwrap();
        assert_eq!(steps.recv().await.unwrap().0, Step { number });
        bus.stop().await;
        bus.stop().await;
        assert!(!bus.health().healthy);
        assert!(matches!(bus.publish(Step { number }).await, Err(Error::NotStarted)));
    }
}

#[tokio::test]
async fn starts_at_the_same_time_are_one_start() {
    let (consumer, mut steps) = passing();
    let started = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = started.clone();
    let bus = bus::builder("memory://at-once")
        .observer(move |event: &bus::observer::Event<'_>| {
            if matches!(event, bus::observer::Event::BusStarted { .. }) {
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        })
        .endpoint("steps", |e| e.consumer(consumer))
        .build()
        .unwrap();
    let (first, second, third) = tokio::join!(bus.start(), bus.start(), bus.start());
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(started.load(std::sync::atomic::Ordering::Relaxed), 1);
    bus.publish(Step { number: 1 }).await.unwrap();
    assert_eq!(steps.recv().await.unwrap().0, Step { number: 1 });
    bus.stop().await;
    assert!(steps.try_recv().is_err());
}

/// The broker in memory lives as long as somebody is connected to it: `keeper`, on another runtime.
#[test]
fn a_bus_whose_runtime_ended_says_so_gives_its_messages_back_and_starts_again_on_another_one() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let keeper = bus::builder("memory://runtimes").build().unwrap();
    second.block_on(keeper.start()).unwrap();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let stuck = first.handle().id();
    let bus = bus::builder("memory://runtimes")
        .endpoint("steps", |e| {
            e.consumer(move |step: Step| {
                let begun = begun.clone();
                async move {
                    begun.send(step.number).unwrap();
                    // On the first runtime, for ever.
                    if tokio::runtime::Handle::current().id() == stuck {
                        std::future::pending::<()>().await;
                    }
                    Ok::<(), Failure>(())
                }
            })
        })
        .build()
        .unwrap();
    first.block_on(bus.start()).unwrap();
    second.block_on(keeper.publish(Step { number: 1 }).into_future()).unwrap();
    assert_eq!(begins.blocking_recv(), Some(1));
    drop(first);
    let health = bus.health();
    assert!(!health.healthy, "{health:?}");
    assert!(health.endpoints[0].problem.as_deref().unwrap().contains("runtime"), "{health:?}");
    second.block_on(bus.start()).unwrap();
    assert_eq!(begins.blocking_recv(), Some(1), "it came again");
    assert!(bus.health().healthy, "{:?}", bus.health());
    second.block_on(async {
        bus.stop().await;
        keeper.stop().await;
    });
}

#[tokio::test]
async fn health_is_json_that_a_probe_can_read() {
    let (consumer, mut steps) = passing();
    let build = |b: bus::Builder| b.endpoint("steps", |e| e.consumer(consumer)).build().unwrap();
    let bus = build(bus::builder("memory://health"));
    let json = || serde_json::to_string_pretty(&bus.health()).unwrap();
    expect_test::expect![[r#"
        {
          "healthy": false,
          "connection": "the bus is not started",
          "topology": null,
          "endpoints": [
            {
              "name": "steps",
              "problem": "not started"
            }
          ]
        }"#]]
    .assert_eq(&json());
    bus.start().await.unwrap();
    expect_test::expect![[r#"
        {
          "healthy": true,
          "connection": null,
          "topology": null,
          "endpoints": [
            {
              "name": "steps",
              "problem": null
            }
          ]
        }"#]]
    .assert_eq(&json());
    bus.stop().await;
    assert!(steps.try_recv().is_err());
}

#[tokio::test]
async fn a_context_is_closed_when_its_attempt_has_ended() {
    let (consumer, mut steps) = passing();
    let bus = bus::builder("memory://closed").endpoint("steps", |e| e.consumer(consumer)).build().unwrap();
    bus.start().await.unwrap();
    bus.publish(Step { number: 1 }).await.unwrap();
    let (_, ctx) = steps.recv().await.unwrap();
    // The stop waits for the attempt.
    bus.stop().await;
    assert!(matches!(ctx.publish(Step { number: 2 }).await, Err(Error::ContextClosed)));
    assert!(matches!(ctx.publish(Step { number: 2 }).confirmed().await, Err(Error::ContextClosed)));
}

#[tokio::test]
async fn what_a_handler_sends_carries_conversation_initiator_and_headers_on() {
    #[derive(Debug, Serialize, Deserialize, Message)]
    #[message(namespace = "Bus.Tests", correlate = order)]
    struct First {
        order: Uuid,
    }
    async fn follow(_: First, ctx: Context) -> Result<(), Failure> {
        ctx.publish(Step { number: 1 }).header("own", 5).await?;
        Ok(())
    }
    let (consumer, mut steps) = passing();
    let bus = bus::builder("memory://conversation")
        .endpoint("first", |e| e.consumer(follow))
        .endpoint("steps", |e| e.consumer(consumer))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    let (order, conversation) = (Uuid::now_v7(), Uuid::now_v7());
    bus.publish(First { order })
        .conversation_id(conversation)
        .header("tenant", "north")
        .header("MT-Anything", "stays behind")
        .await
        .unwrap();
    let (_, ctx) = steps.recv().await.unwrap();
    let envelope = &ctx.incoming().envelope;
    assert_eq!((envelope.conversation_id, envelope.initiator_id), (Some(conversation), Some(order)));
    assert_eq!(ctx.header("Tenant").unwrap(), "north");
    assert_eq!(ctx.header("own").unwrap(), 5);
    assert_eq!(ctx.header("MT-Anything"), None);
    assert!(ctx.source_address().unwrap().ends_with("/first"));
    bus.stop().await;
}

#[test]
fn endpoints_are_named_after_their_consumers_by_the_convention_that_was_chosen() {
    struct ShipOrdersConsumer;

    #[consumer]
    impl ShipOrdersConsumer {
        #[handle]
        async fn step(&self, _: Step, _: &Context) -> Result<(), Failure> {
            Ok(())
        }
    }

    let name = |builder: bus::Builder| {
        builder.consumer(ShipOrdersConsumer).build().unwrap().health().endpoints[0].name.clone()
    };
    assert_eq!(name(bus::builder("memory://names")), "ship-orders");
    let snake = bus::naming::EndpointNames::snake().prefix("Acme");
    assert_eq!(name(bus::builder("memory://names").endpoint_names(snake)), "acme_ship_orders");
}

#[tokio::test]
async fn a_message_is_published_as_a_contract_it_fulfils_with_all_its_members() {
    #[derive(Debug, Serialize, Deserialize, Message)]
    #[message(namespace = "Bus.Tests", implements(Step))]
    struct Leap {
        number: u32,
        height: u32,
    }
    let (consumer, mut steps) = passing();
    let (leaps, mut leapt) = mpsc::unbounded_channel();
    let bus = bus::builder("memory://contract")
        .endpoint("steps", |e| e.consumer(consumer))
        .endpoint("leaps", |e| {
            e.consumer(move |leap: Leap| std::future::ready(leaps.send(leap.height).map_err(Failure::from)))
        })
        .build()
        .unwrap();
    bus.start().await.unwrap();
    bus.publish(Leap { number: 1, height: 9 }).as_contract::<Step>().await.unwrap();
    let (step, ctx) = steps.recv().await.unwrap();
    assert_eq!(step, Step { number: 1 });
    assert_eq!(ctx.message_as::<Leap>().unwrap().height, 9);
    // As itself it reaches both.
    bus.publish(Leap { number: 2, height: 8 }).await.unwrap();
    assert_eq!(steps.recv().await.unwrap().0, Step { number: 2 });
    assert_eq!(leapt.recv().await, Some(8));
    let error = bus.publish(Step { number: 3 }).as_contract::<Leap>().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`urn:message:Bus.Tests:Step` does not fulfil `urn:message:Bus.Tests:Leap`: \
         name it in `#[message(implements(..))]`"
    );
    bus.stop().await;
}

//! Mistakes get a clear error that says what to do.

use std::time::Duration;

use bus::{Error, prelude::*};

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Ping {}

async fn pong(_: Ping) -> Result<(), Failure> {
    Ok(())
}

/// What `build()` says.
fn said(builder: bus::Builder) -> String {
    match builder.build() {
        Err(error @ Error::Build(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn urls_that_no_transport_takes_say_what_to_write() {
    assert_eq!(
        said(bus::builder("carrier-pigeon://loft")),
        format!(
            "the bus cannot be built: no transport handles scheme `carrier-pigeon://`; compiled in: memory{}",
            if cfg!(feature = "rabbitmq") { ", amqp, amqps, rabbitmq, rabbitmqs" } else { "" }
        )
    );
    assert_eq!(
        said(bus::builder("localhost")),
        "the bus cannot be built: `localhost` is no URL: write one such as `memory://shop` or `amqp://localhost`"
    );
}

#[cfg(not(feature = "rabbitmq"))]
#[test]
fn a_scheme_whose_feature_is_off_names_the_feature() {
    assert_eq!(
        said(bus::builder("amqp://user:secret@localhost")),
        "the bus cannot be built: scheme `amqp://` needs the cargo feature `rabbitmq` of `bus`"
    );
}

#[test]
fn a_catalog_that_lacks_a_scheme_names_the_feature() {
    let mut catalog = bus::Catalog::default();
    catalog.missing.push(("amqp", "rabbitmq"));
    assert_eq!(
        said(bus::Builder::new("amqp://user:secret@localhost", catalog)),
        "the bus cannot be built: scheme `amqp://` needs the cargo feature `rabbitmq` of `bus`"
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    async fn wants(_: Ping, State(_): State<u32>, State(_): State<String>) -> Result<(), Failure> {
        Ok(())
    }
    let builder = bus::builder("memory://mistakes")
        .state("given".to_owned())
        .state("twice".to_owned())
        .consumer(pong)
        .endpoint("empty", |e| e)
        .endpoint("two", |e| e.consumer(pong).prefetch(0))
        .endpoint("two", |e| e.consumer(pong))
        .endpoint("wants", |e| e.consumer(wants).bind("queue:two").bind("nowhere"))
        .endpoint("what a name!", |e| e.consumer(pong));
    expect_test::expect![[r#"
        the bus cannot be built; 9 things are wrong:
          - `.state(..)` was called twice with a `alloc::string::String`: wrap one of them in a type of its own
          - `facade::bad_input::pong` is a function, and its queue needs a name: write `.endpoint("a-name", |e| e.consumer(..))`
          - endpoint `empty` has no consumer: add one with `.consumer(..)`, or remove it
          - endpoint `two`: the prefetch must be at least 1
          - two endpoints are named `two`: put their consumers into one `.endpoint("two", |e| e.consumer(..).consumer(..))`, or name one of them otherwise
          - endpoint `wants`, consumer `facade::bad_input::everything_that_is_wrong_is_told_at_once::wants`: needs `State<u32>`: give a `u32` to the builder with `.state(..)`
          - endpoint `wants` cannot be bound: `queue:two` is no address here: a queue gives no copies; bind to `exchange:two`
          - endpoint `wants` cannot be bound: `nowhere` is no address here: write `queue:nowhere` or `exchange:nowhere`
          - endpoint `what a name!`: the name `what a name!` cannot be used: it has ` `; letters, digits, `-`, `_`, `.` and `:` are possible"#]]
    .assert_eq(&said(builder));
}

#[tokio::test]
async fn a_bus_that_only_publishes_is_valid() {
    let bus = bus::builder("memory://publisher").build().unwrap();
    bus.start().await.unwrap();
    bus.publish(Ping {}).await.unwrap();
    assert!(bus.health().healthy);
    bus.stop().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_told_when_sending() {
    let bus = bus::builder("memory://addresses").build().unwrap();
    bus.start().await.unwrap();
    for (address, expected) in [
        ("orders", "`orders` is no address here: write `queue:orders` or `exchange:orders`"),
        ("queue:", "`queue:` is no address here: the name is missing"),
    ] {
        let error = bus.send(address, Ping {}).timeout(Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(error, Error::Address(_)));
        assert_eq!(error.to_string(), expected);
    }
    bus.stop().await;
}

#[tokio::test]
async fn a_bus_that_is_not_started_says_so() {
    let bus = bus::builder("memory://idle").endpoint("pong", |e| e.consumer(pong)).build().unwrap();
    assert!(matches!(bus.publish(Ping {}).await, Err(Error::NotStarted)));
    assert!(matches!(bus.dead_letters("pong").list().await, Err(Error::NotStarted)));
    let health = bus.health();
    assert!(!health.healthy);
    assert_eq!(health.connection.as_deref(), Some("the bus is not started"));
    assert_eq!(health.endpoints[0].problem.as_deref(), Some("not started"));
}

#[tokio::test]
async fn a_message_that_nobody_could_read_is_refused_when_sending() {
    #[derive(Debug, Serialize, Deserialize, Message)]
    #[message(namespace = "Bus.Tests")]
    struct Deep {
        inner: Vec<serde_json::Value>,
    }
    let nested = |levels: usize| {
        let inside = (0..levels).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
        Deep { inner: vec![inside] }
    };
    let bus = bus::builder("memory://deep").build().unwrap();
    bus.start().await.unwrap();
    // The envelope, the message and its list are three of the 64 levels.
    bus.publish(nested(61)).await.unwrap();
    let error = bus.publish(nested(62)).await.unwrap_err();
    assert!(matches!(error, Error::Encode { .. }), "{error:?}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "the message is nested deeper than 64 levels");
    bus.stop().await;
}

#[test]
fn two_types_with_one_urn_are_refused() {
    mod other {
        use bus::prelude::*;

        #[derive(Debug, Serialize, Deserialize, Message)]
        #[message(namespace = "Bus.Tests", name = "Ping")]
        pub(super) struct Pling {}
    }
    async fn plong(_: other::Pling) -> Result<(), Failure> {
        Ok(())
    }
    let builder =
        bus::builder("memory://twins").endpoint("a", |e| e.consumer(pong)).endpoint("b", |e| e.consumer(plong));
    expect_test::expect![[r#"the bus cannot be built: `facade::bad_input::Ping` and `facade::bad_input::two_types_with_one_urn_are_refused::other::Pling` both have the URN `urn:message:Bus.Tests:Ping`: give one of them another name or namespace"#]]
        .assert_eq(&said(builder));
}

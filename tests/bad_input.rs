//! Mistakes get a clear error that says what to do.

use std::time::Duration;

use bus::{Error, prelude::*};

#[derive(Debug, Clone, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Ping {}

async fn pong(_: Ping) -> Result<(), Failure> {
    Ok(())
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
fn a_main_that_returns_the_error_shows_the_text_and_not_the_data() {
    let error = bus::builder("nowhere").build().unwrap_err();
    let bus::Error::Build(said) = &error else { panic!("{error}") };
    assert_eq!(format!("{said:?}"), error.to_string());
    assert!(format!("{error:?}").starts_with("Build(the bus cannot be built: `nowhere` is no URL"), "{error:?}");
}

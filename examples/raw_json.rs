//! Messages of a producer that knows no envelope: plain JSON on a queue, as a script or a device would send it.
//! In memory; or on RabbitMQ: `--features rabbitmq`, BUS_URL=amqp://guest:guest@127.0.0.1:5672.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{error::Error, time::Duration};

use bus::{
    address::Destination,
    clock::Clock,
    prelude::*,
    transport::{Class, Driver, Environment, Outgoing, PublishOutcome},
};
use lapin::{BasicProperties, Connection, ConnectionProperties, options::BasicPublishOptions};
use tokio::sync::mpsc;

/// The names that the device writes are the fields' names: nobody else checks them.
#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Devices")]
struct Measured {
    device_id: String,
    celsius: f64,
}

const READINGS: [&str; 2] =
    [r#"{"deviceId":"attic","celsius":31.5}"#, r#"{"deviceId":"cellar","celsius":11.25,"battery":"low"}"#];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("BUS_URL").unwrap_or_else(|_| "memory://house".to_owned());
    let (reads, mut read) = mpsc::unbounded_channel();
    let bus = bus::builder(&url)
        .endpoint("readings", |e| {
            e.raw_json() // bodies of type `application/json` are payloads; all others are read as envelopes
                .concurrency(1)
                .consumer(move |message: Received<Measured>, ctx: Context| {
                    let at = (message.device_id.clone(), message.celsius, ctx.message_id());
                    std::future::ready(reads.send(at))
                })
        })
        .build()?;
    bus.start().await?;

    if url.starts_with("memory:") {
        send_in_memory(&url).await?;
    } else {
        send_by_amqp(&url).await?;
    }
    // What this program sends has an envelope, and the same endpoint reads both.
    bus.send("queue:readings", Measured { device_id: "here".to_owned(), celsius: 20.0 }).await?;

    for (device_id, celsius) in [("attic", 31.5), ("cellar", 11.25), ("here", 20.0)] {
        let reading = read.recv().await.ok_or("nobody reads")?;
        println!("{}: {} degrees, message id {:?}", reading.0, reading.1, reading.2);
        assert_eq!((reading.0.as_str(), reading.1), (device_id, celsius));
        assert_eq!(reading.2.is_some(), device_id == "here", "only the bus gives ids");
    }
    bus.stop().await;
    Ok(())
}

/// Outside of this process nobody can reach a broker in memory. So this goes below the bus, to the transport that
/// carries bytes and knows no messages: a body, its media type, and nothing else.
async fn send_in_memory(url: &str) -> Result<(), Box<dyn Error>> {
    let transport = bus::inmemory::DRIVER.open(url, Environment::default())?;
    let deadline = Clock::real().after(Duration::from_secs(5));
    transport.connect(deadline).await?;
    for reading in READINGS {
        let mut bytes = Outgoing::new(Destination::Queue("readings".into()), reading.into(), deadline);
        bytes.content_type = Some("application/json".into());
        bytes.mandatory = true;
        let permit = transport.publisher().ready(bytes.body.len(), Class::Application).await;
        let outcome = transport.publisher().submit(permit, bytes).await;
        assert!(matches!(outcome, PublishOutcome::Confirmed), "{outcome:?}");
    }
    Ok(())
}

/// What any AMQP client does: the default exchange, and the queue's name as the routing key.
async fn send_by_amqp(url: &str) -> Result<(), Box<dyn Error>> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for reading in READINGS {
        let properties = BasicProperties::default().with_content_type("application/json".into());
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), "readings".into(), options, reading.as_bytes(), properties).await?.await?;
    }
    connection.close(0, "done".into()).await?;
    Ok(())
}

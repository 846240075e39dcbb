//! A web service on axum with a bus behind it: POST /orders, GET /health, GET /topology.
//! It calls itself, and ends. In memory; or on RabbitMQ: `--features rabbitmq`, and
//! BUS_URL=amqp://guest:guest@127.0.0.1:5672.
#![allow(clippy::print_stdout, reason = "it tells a story")]
use std::{error::Error, future::IntoFuture, net::SocketAddr};

use axum::{
    Json, Router,
    extract::State as FromApp,
    http::StatusCode,
    routing::{get, post},
};
use bus::{Health, prelude::*};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

#[derive(Deserialize)]
struct NewOrder {
    item: String,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
#[message(namespace = "Acme.Orders")]
struct OrderSubmitted {
    order_id: Uuid,
    item: String,
}

/// A `Bus` is a cheap handle: it is the state of the service, or a part of it.
fn service(bus: Bus) -> Router {
    Router::new()
        .route("/orders", post(submit))
        .route("/health", get(health))
        .route("/topology", get(|FromApp(bus): FromApp<Bus>| async move { Json(bus.describe()) }))
        .with_state(bus)
}

/// Accepted means that the broker has the message. An error says whether it may have been sent all the same.
async fn submit(FromApp(bus): FromApp<Bus>, Json(order): Json<NewOrder>) -> Result<StatusCode, (StatusCode, String)> {
    let event = OrderSubmitted { order_id: Uuid::now_v7(), item: order.item };
    bus.publish(event).await.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(StatusCode::ACCEPTED)
}

/// For the orchestrator: 200 or 503, and why.
async fn health(FromApp(bus): FromApp<Bus>) -> (StatusCode, Json<Health>) {
    let health = bus.health();
    (if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("BUS_URL").unwrap_or_else(|_| "memory://shop".to_owned());
    let (hears, mut heard) = mpsc::unbounded_channel();
    let bus = bus::builder(&url)
        .endpoint("kitchen", |e| e.consumer(move |order: OrderSubmitted| std::future::ready(hears.send(order.item))))
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = listener.local_addr()?;
    // In a service of yours: `axum::serve(..).with_graceful_shutdown(interrupted)`, by `tokio::signal`.
    let (stop, interrupted) = oneshot::channel::<()>();
    let server = axum::serve(listener, service(bus.clone())).with_graceful_shutdown(async { drop(interrupted.await) });
    let server = tokio::spawn(server.into_future());

    let early = call(here, "GET /health", "").await?;
    assert!(early.starts_with("HTTP/1.1 503") && early.contains("the bus is not started"), "{early}");
    bus.start().await?;
    let health = call(here, "GET /health", "").await?;
    assert!(health.starts_with("HTTP/1.1 200") && health.contains(r#""healthy":true"#), "{health}");
    let accepted = call(here, "POST /orders", r#"{"item":"soup"}"#).await?;
    assert!(accepted.starts_with("HTTP/1.1 202"), "{accepted}");
    assert_eq!(heard.recv().await.as_deref(), Some("soup"));
    let topology = call(here, "GET /topology", "").await?;
    assert!(topology.starts_with("HTTP/1.1 200") && topology.contains("kitchen"), "{topology}");

    // First no request comes in any more, then no message; a request that runs may still publish.
    let _ = stop.send(());
    server.await??;
    bus.stop().await;
    assert!(!bus.health().healthy);
    Ok(())
}

/// A request, and the whole response.
async fn call(server: SocketAddr, request: &str, body: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = body.len();
    let head = format!("{request} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: {length}");
    stream.write_all(format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}").as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    println!("{request}: {}", response.lines().next().unwrap_or_default());
    Ok(response)
}

//! A client that only shakes hands: the measure of when the broker is there.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const ANSWER: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until the broker at `authority` answers to a handshake; when that was.
pub(crate) async fn answers(authority: &str) -> Instant {
    loop {
        if let Ok(Ok(1)) = timeout(ANSWER, first_byte(authority)).await {
            return Instant::now();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn first_byte(authority: &str) -> std::io::Result<u8> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    stream.read_u8().await
}

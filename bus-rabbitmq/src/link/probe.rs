use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::settings::Settings;

/// AMQP 0-9-1 in the words of its handshake.
const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";

/// Whether somebody answers at all. An attempt of lapin's that nobody answers leaves its thread behind, waiting;
/// after the first of those this is asked before the next.
pub(crate) async fn answers(settings: &Settings) -> io::Result<()> {
    let mut stream = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
    // With TLS it would take a handshake of its own; that the port is open has to do.
    if !settings.tls {
        stream.write_all(GREETING).await?;
        stream.read_u8().await?;
    }
    Ok(())
}

//! Connecting to one host, in a way that can be given up: of a broker that stops answering in the middle of a
//! handshake or of a close, lapin keeps a thread and a socket.

use std::{
    io,
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bus_core::clock::Clock;
use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties,
    runtime::default_runtime,
    tcp::{AMQPUriTcpExt, TLSConfig},
    uri::{AMQPScheme, AMQPUri},
};

use crate::{
    Credentials,
    refusal::{Refusal, while_connecting},
    settings::{Host, Settings},
};

/// How long the broker may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(1);

/// The socket under a connection. Dropped, it is shut, and lapin's thread ends, whatever it waits for.
#[derive(Debug)]
pub(crate) struct Line(Arc<Mutex<Socket>>);

#[derive(Debug)]
enum Socket {
    NotYet,
    /// The same as lapin's.
    Open(TcpStream),
    Shut,
}

/// Connects to `host`, by the deadline at the latest.
pub(crate) async fn dial(
    settings: &Settings,
    host: &Host,
    credentials: &Credentials,
    purpose: &str,
    (clock, deadline): (&Clock, Instant),
) -> Result<(Connection, Line), Refusal> {
    let name = match &settings.connection_name {
        Some(name) => format!("{name} ({purpose})"),
        None => format!("bus ({purpose})"),
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime = default_runtime().map_err(while_connecting)?;
    let line = Line(Arc::new(Mutex::new(Socket::NotYet)));
    // The time is bounded here too: this runs in lapin's thread, whether anybody waits for it or not.
    let (held, clock, known) = (line.0.clone(), clock.clone(), runtime.clone());
    let connecting = async move |uri: AMQPUri, _| {
        let tls = uri.scheme == AMQPScheme::AMQPS;
        let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..uri };
        let stream = async {
            let stream = plain.connect_with_config_async(TLSConfig::default(), &known).await?;
            if let AsyncTcpStream::Plain(tcp) = &stream {
                hold(&held, tcp.get_ref())?;
            }
            match tls {
                true => stream.into_tls(&plain.authority.host, TLSConfig::default()).await,
                false => Ok(stream),
            }
        };
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
        Ok(clock.by(deadline, stream).await.unwrap_or_else(late)?)
    };
    let uri = settings.amqp_uri(host, credentials);
    let connection = Connection::connector(uri, runtime, connecting, properties).await.map_err(while_connecting)?;
    Ok((connection, line))
}

/// Takes leave of the broker. One that does not answer is left without a word.
pub(crate) async fn goodbye(clock: &Clock, connection: &Connection, line: Line) {
    let _ = clock.by(clock.now() + GOODBYE, connection.close(200, "OK".into())).await;
    drop(line);
}

impl Line {
    /// Leaves the socket to lapin, which ends by itself, and may have something to write until then.
    pub(crate) fn let_go(self) {
        *lock(&self.0) = Socket::Shut;
    }
}

/// Keeps a handle to lapin's socket; an error says that the attempt was given up.
fn hold(held: &Mutex<Socket>, tcp: &tokio::net::TcpStream) -> io::Result<()> {
    let mut socket = lock(held);
    match *socket {
        Socket::Shut => Err(io::ErrorKind::ConnectionAborted.into()),
        _ => {
            *socket = Socket::Open(twin(tcp)?);
            Ok(())
        }
    }
}

#[cfg(unix)]
fn twin(tcp: &tokio::net::TcpStream) -> io::Result<TcpStream> {
    use std::os::fd::AsFd;
    Ok(tcp.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn twin(tcp: &tokio::net::TcpStream) -> io::Result<TcpStream> {
    use std::os::windows::io::AsSocket;
    Ok(tcp.as_socket().try_clone_to_owned()?.into())
}

fn lock(socket: &Mutex<Socket>) -> MutexGuard<'_, Socket> {
    socket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Socket::Open(tcp) = std::mem::replace(&mut *lock(&self.0), Socket::Shut) {
            // An error says that it is shut already.
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }
}

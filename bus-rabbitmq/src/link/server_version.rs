//! What the broker says of itself before anybody logs in. lapin reads it and keeps it for itself.
//!
//! A client cannot take leave before it logged in, so the broker's log has a warning of each question. It is
//! asked once per connection that declares, and not by the one that publishes.

use std::{fmt, io, sync::Arc};

use lapin::types::{AMQPValue, parsing::parse_field_table};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::settings::Host;

/// AMQP 0-9-1 in the words of its handshake.
const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Type, channel and size of a frame.
const HEADER: usize = 7;
/// The greeting of a RabbitMQ has some 500 bytes.
const LARGEST: u32 = 64 * 1024;
/// A method on channel 0: connection.start of version 0-9.
const START: &[u8] = &[0, 10, 0, 10, 0, 9];

/// The version of a RabbitMQ: `3.13.7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerVersion(Arc<str>);

impl ServerVersion {
    /// Whether it is known to come before that one.
    pub(crate) fn is_older_than(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.0.split('.').map(|number| number.parse::<u32>().ok());
        let (known_major, known_minor) = (numbers.next().flatten(), numbers.next().flatten());
        known_major.zip(known_minor).is_some_and(|known| known < (major, minor))
    }

    pub(crate) fn is_at_least(&self, major: u32) -> bool {
        self.0.split('.').next().and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number >= major)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
impl From<&str> for ServerVersion {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// Opens a connection that ends after the broker's first words; an error says that nobody answers. Not for TLS.
pub(crate) async fn ask(host: &Host) -> io::Result<Option<ServerVersion>> {
    let mut stream = TcpStream::connect((host.name.as_str(), host.port)).await?;
    stream.write_all(GREETING).await?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let [kind, _, _, size @ ..] = header;
    let size = u32::from_be_bytes(size);
    // Whoever answers otherwise speaks another protocol, or another version of it.
    if kind != 1 || size > LARGEST {
        return Ok(None);
    }
    let mut payload = vec![0; size as usize];
    stream.read_exact(&mut payload).await?;
    Ok(version(&payload))
}

fn version(payload: &[u8]) -> Option<ServerVersion> {
    let (_, properties) = parse_field_table(payload.strip_prefix(START)?).ok()?;
    let text = |name: &str| match properties.inner().get(name)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        _ => None,
    };
    // Others count their versions otherwise.
    let version = text("version").filter(|_| text("product") == Some("RabbitMQ"))?;
    Some(ServerVersion(version.into()))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// connection.start with these properties, each a long string.
    fn start(properties: &[(&str, &str)]) -> Vec<u8> {
        let mut table = vec![12];
        // One that is no text, to be passed over: `capabilities`.
        table.extend(b"capabilitiesF\x00\x00\x00\x04\x01at\x01");
        for (name, value) in properties {
            table.push(u8::try_from(name.len()).unwrap());
            table.extend(name.bytes());
            table.push(b'S');
            table.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
            table.extend(value.bytes());
        }
        let mut payload = START.to_vec();
        payload.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
        payload.extend(table);
        payload.extend(b"\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US");
        payload
    }

    #[test]
    fn the_version_is_read_from_the_first_words_of_a_rabbitmq() {
        let words = start(&[("product", "RabbitMQ"), ("version", "4.1.0")]);
        assert_eq!(version(&words), Some("4.1.0".into()));
        for end in 0..words.len() - 24 {
            assert_eq!(version(&words[..end]), None, "cut to {end} bytes");
        }
        assert_eq!(version(&start(&[("product", "Other"), ("version", "9.9")])), None);
        assert_eq!(version(&start(&[("product", "RabbitMQ")])), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (text, expected) in [("3.13.7", false), ("4.0.0-rc.1", true), ("4.2.1", true), ("10.0", true), ("x", false)]
        {
            assert_eq!(ServerVersion::from(text).is_at_least(4), expected, "{text}");
        }
    }

    #[test]
    fn a_version_that_cannot_be_read_is_not_older() {
        for (text, expected) in [("3.9.29", true), ("3.10.0", false), ("2.99", true), ("4.0", false), ("3", false)] {
            assert_eq!(ServerVersion::from(text).is_older_than(3, 10), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_broker_is_asked_and_one_that_says_something_else_has_no_version() {
        let mut frame = vec![1, 0, 0];
        let words = start(&[("version", "3.10.8"), ("product", "RabbitMQ")]);
        frame.extend(u32::try_from(words.len()).unwrap().to_be_bytes());
        frame.extend(words);
        for (answer, expected) in [(frame, Some("3.10.8".into())), (b"AMQP\x00\x01\x00\x00".to_vec(), None)] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let broker = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut greeting = [0; 8];
                stream.read_exact(&mut greeting).await.unwrap();
                assert_eq!(greeting, GREETING);
                stream.write_all(&answer).await.unwrap();
                // Until the other side hangs up.
                let _ = stream.read_u8().await;
            });
            let host = Host { name: "127.0.0.1".to_owned(), port };
            assert_eq!(ask(&host).await.unwrap(), expected);
            broker.await.unwrap();
        }
    }
}

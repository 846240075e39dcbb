//! Where messages go: what people write, and what it names on a broker.

use std::{fmt, str::FromStr, sync::Arc};

/// An address as people write it, and as peers put it into envelopes.
///
/// | form | means |
/// |---|---|
/// | `queue:orders` | the queue `orders`, and nothing else; an unknown queue is an error |
/// | `exchange:orders` | the exchange `orders`, where taps see the message (RabbitMQ, memory) |
/// | `topic:orders` | the topic `orders`; on RabbitMQ and in memory the same as `exchange:` |
/// | `rabbitmq://host/vhost/orders` | absolute, as in an envelope: only the entity's name counts |
///
/// Parameters may follow a `?`, as MassTransit writes them: `exchange:orders?type=direct`.
///
/// ```
/// use bus_core::address::Address;
///
/// let address: Address = "queue:orders".parse()?;
/// assert_eq!(address, Address::Queue("orders".into()));
/// assert!("orders".parse::<Address>().is_err());
/// # Ok::<(), bus_core::address::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// `queue:NAME`
    Queue(Arc<str>),
    /// `exchange:NAME`
    Exchange(Arc<str>),
    /// `topic:NAME`
    Topic(Arc<str>),
    /// A URI with a scheme and `//`.
    Absolute(Arc<str>),
}

impl Address {
    /// The value of a parameter behind `?`, such as `type` in `exchange:orders?type=direct`; names are
    /// compared without regard to case.
    pub fn parameter(&self, wanted: &str) -> Option<&str> {
        let (Self::Queue(text) | Self::Exchange(text) | Self::Topic(text) | Self::Absolute(text)) = self;
        let (_, query) = text.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    }
}

/// The name in front of an address's parameters.
#[must_use]
pub fn without_parameters(text: &str) -> &str {
    text.split_once('?').map_or(text, |(name, _)| name)
}

/// A text that is no address, or none of this broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is no address here: {reason}")]
pub struct AddressError {
    /// The text, without credentials.
    pub address: String,
    /// What is wrong, and what to write.
    pub reason: String,
}

impl AddressError {
    /// For transports: what is wrong with an address. Credentials in it are left out.
    #[must_use]
    pub fn new(address: &str, reason: impl Into<String>) -> Self {
        Self { address: without_credentials(address), reason: reason.into() }
    }
}

/// An entity of a broker that takes messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The queue itself; what is sent there reaches it or is unroutable.
    Queue(Arc<str>),
    /// An exchange or topic: every queue bound to it gets a copy.
    Topic(Arc<str>),
}

impl Destination {
    /// The entity's name.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Queue(name) | Self::Topic(name) => name,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(name) => write!(f, "queue:{name}"),
            Self::Topic(name) => write!(f, "topic:{name}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains("://") {
            return Ok(Self::Absolute(text.into()));
        }
        let Some((scheme, name)) = text.split_once(':') else {
            return Err(AddressError::new(text, format!("write `queue:{text}` or `exchange:{text}`")));
        };
        if name.is_empty() {
            return Err(AddressError::new(text, "the name is missing"));
        }
        match scheme {
            "queue" => Ok(Self::Queue(name.into())),
            "exchange" => Ok(Self::Exchange(name.into())),
            "topic" => Ok(Self::Topic(name.into())),
            _ => {
                Err(AddressError::new(text, "it begins with `queue:`, `exchange:`, `topic:` or a URI scheme and `//`"))
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(name) => write!(f, "queue:{name}"),
            Self::Exchange(name) => write!(f, "exchange:{name}"),
            Self::Topic(name) => write!(f, "topic:{name}"),
            Self::Absolute(uri) => f.write_str(&without_credentials(uri)),
        }
    }
}

/// `amqp://user:secret@host/x` as `amqp://host/x`. Everything up to the last `@` is left out, with a scheme
/// or without: a password may hold any character, and too little shown is better than too much.
#[must_use]
pub fn without_credentials(uri: &str) -> String {
    let (scheme, rest) = uri.find("://").map_or(("", uri), |at| uri.split_at(at + 3));
    match rest.rsplit_once('@') {
        Some((_, shown)) => format!("{scheme}{shown}"),
        None => uri.to_owned(),
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_written_and_refused_with_what_to_write() {
        let check = |text: &str, expected: &str| match text.parse::<Address>() {
            Ok(address) => assert_eq!(format!("{address:?}"), expected),
            Err(error) => assert_eq!(error.to_string(), expected),
        };
        check("queue:orders", "Address(queue:orders)");
        check("exchange:Acme.Orders:SubmitOrder", "Address(exchange:Acme.Orders:SubmitOrder)");
        check("rabbitmq://h/v/q", "Address(rabbitmq://h/v/q)");
        check("orders", "`orders` is no address here: write `queue:orders` or `exchange:orders`");
        check("queue:", "`queue:` is no address here: the name is missing");
        check(
            "mail:you",
            "`mail:you` is no address here: it begins with `queue:`, `exchange:`, `topic:` or a URI scheme and `//`",
        );
    }

    #[test]
    fn credentials_are_never_shown() {
        for (uri, shown) in [
            ("amqp://u:p@h:5672/v", "amqp://h:5672/v"),
            ("amqp://u:p@ss@h/v", "amqp://h/v"),
            ("amqp://u:p/q?r#s@h/v", "amqp://h/v"),
            ("u:p@h:5672/v", "h:5672/v"),
            ("queue:orders", "queue:orders"),
        ] {
            assert_eq!(without_credentials(uri), shown);
        }
        let address = Address::Absolute("amqp://u:p@h/q".into());
        assert_eq!((address.to_string(), format!("{address:?}")), ("amqp://h/q".into(), "Address(amqp://h/q)".into()));
    }
}

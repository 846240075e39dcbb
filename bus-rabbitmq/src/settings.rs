use std::fmt;

use bus_core::transport::TransportError;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// What a `Uri.EscapeDataString` of .NET leaves alone; virtual hosts are escaped that way in addresses.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The URL schemes this crate takes.
pub(crate) const SCHEMES: &[&str] = &["amqp", "amqps", "rabbitmq", "rabbitmqs"];

/// Seconds; a silent connection is given up after two of them.
const HEARTBEAT: u16 = 10;

/// Where the broker is, and who we are there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) virtual_host: String,
    pub(crate) user: String,
    password: String,
    /// Seconds; 0 leaves it to the broker.
    heartbeat: u16,
    /// What the broker's operators see of us.
    pub(crate) connection_name: Option<String>,
}

impl Settings {
    /// Reads `amqp://user:password@host:port/vhost?heartbeat=10&connection_name=orders`.
    pub(crate) fn read(text: &str) -> Result<Self, TransportError> {
        // The parser's own error texts quote nothing; the URL itself may hold a password.
        let url = Url::parse(text)
            .map_err(|error| refuse(format!("{error}; write amqp://user:password@host:5672/virtual-host")))?;
        let tls = match url.scheme() {
            "amqp" | "rabbitmq" => false,
            "amqps" | "rabbitmqs" => true,
            other => return Err(refuse(format!("the scheme `{other}` is not RabbitMQ's: write amqp:// or amqps://"))),
        };
        let host = match url.host_str() {
            Some(host) if !host.is_empty() => host.trim_matches(['[', ']']).to_owned(),
            _ => return Err(refuse("the host is missing: write amqp://host/virtual-host".to_owned())),
        };
        let mut settings = Self {
            tls,
            host,
            port: url.port().unwrap_or(default_port(tls)),
            virtual_host: "/".to_owned(),
            user: "guest".to_owned(),
            password: "guest".to_owned(),
            heartbeat: HEARTBEAT,
            connection_name: None,
        };
        // One mistake must not hide the others.
        let mut wrong = Vec::new();
        let mut read = |into: &mut String, read: Result<String, String>| match read {
            Ok(read) => *into = read,
            Err(reason) => wrong.push(reason),
        };
        read(&mut settings.virtual_host, virtual_host(url.path()));
        if !url.username().is_empty() {
            read(&mut settings.user, decode(url.username(), "the user"));
        }
        if let Some(password) = url.password() {
            read(&mut settings.password, decode(password, "the password"));
        }
        for (name, value) in url.query_pairs() {
            match (&*name, value.parse()) {
                ("heartbeat", Ok(seconds)) => settings.heartbeat = seconds,
                ("heartbeat", Err(_)) => wrong.push("heartbeat is a number of seconds: write heartbeat=10".to_owned()),
                ("connection_name", _) => settings.connection_name = Some(value.into_owned()),
                (other, _) => wrong.push(format!("`{other}` is unknown here: heartbeat and connection_name are known")),
            }
        }
        if !wrong.is_empty() {
            return Err(refuse(wrong.join("; ")));
        }
        Ok(settings)
    }

    /// For lapin. Holds the password; never shown.
    pub(crate) fn amqp_uri(&self) -> AMQPUri {
        AMQPUri {
            scheme: if self.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: self.user.clone(), password: self.password.clone() },
                host: self.host.clone(),
                port: self.port,
            },
            vhost: self.virtual_host.clone(),
            query: AMQPQueryString { heartbeat: Some(self.heartbeat), ..AMQPQueryString::default() },
        }
    }

    /// Host, port if not the usual one, and virtual host, as addresses and errors name them:
    /// `rabbitmq://host:5673/vhost`; the root virtual host is no segment.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.tls { "rabbitmqs" } else { "rabbitmq" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port == default_port(self.tls) { String::new() } else { format!(":{}", self.port) };
        match self.virtual_host.as_str() {
            "/" => format!("{scheme}://{host}{port}"),
            virtual_host => format!("{scheme}://{host}{port}/{}", utf8_percent_encode(virtual_host, ESCAPED)),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("user", &self.user)
            .field("password", &"***")
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 5671 } else { 5672 }
}

fn virtual_host(path: &str) -> Result<String, String> {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Ok("/".to_owned()),
        name if name.contains('/') => {
            Err("the path is the virtual host, one segment: write a slash in its name as %2F".to_owned())
        }
        name => decode(name, "the virtual host"),
    }
}

fn decode(text: &str, what: &str) -> Result<String, String> {
    let decoded =
        percent_decode_str(text).decode_utf8().map_err(|_| format!("{what} is not UTF-8 after percent-decoding"))?;
    Ok(decoded.into_owned())
}

fn refuse(reason: String) -> TransportError {
    TransportError::Url { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_with_the_defaults_of_rabbitmq() {
        let check = |url: &str, address: &str, virtual_host: &str| {
            let settings = Settings::read(url).unwrap();
            assert_eq!(settings.address(), address, "{url}");
            assert_eq!(settings.virtual_host, virtual_host, "{url}");
        };
        check("amqp://h", "rabbitmq://h", "/");
        check("amqp://h/", "rabbitmq://h", "/");
        check("rabbitmq://h:5672/%2f", "rabbitmq://h", "/");
        check("amqp://h:5673/shop", "rabbitmq://h:5673/shop", "shop");
        check("amqps://h/a%2Fb", "rabbitmqs://h/a%2Fb", "a/b");
        check("rabbitmqs://h:5671/x", "rabbitmqs://h/x", "x");
        check("amqp://[::1]:5672/", "rabbitmq://[::1]", "/");
        let settings = Settings::read("amqp://u%40x:p%2Fw@h/?heartbeat=3&connection_name=n").unwrap();
        assert_eq!((settings.user.as_str(), settings.password.as_str()), ("u@x", "p/w"));
        assert_eq!(settings.heartbeat, 3);
        assert_eq!(settings.connection_name.as_deref(), Some("n"));
        assert_eq!(Settings::read("amqp://h").unwrap().heartbeat, 10);
    }

    #[test]
    fn a_bad_url_is_refused_with_what_to_write_and_without_credentials() {
        for url in [
            "amqp://u:secret@h:99999/v",
            "amqp://u:secret@h/a/b",
            "http://u:secret@h",
            "amqp://u:secret@/v",
            "amqp://u:secret@h/?heartbeat=soon",
            "amqp://u:secret@h/?color=red",
            "amqp://u:secret%ff@h/",
        ] {
            let error = Settings::read(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.starts_with("the URL cannot be used: "), "{error}");
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let shown = format!("{:?}", Settings::read("amqp://u:secret@h").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}

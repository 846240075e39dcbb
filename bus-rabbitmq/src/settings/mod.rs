mod hosts;

use std::fmt;

use bus_core::transport::TransportError;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub(crate) use hosts::Host;

use crate::Credentials;

/// What a `Uri.EscapeDataString` of .NET leaves alone; virtual hosts are escaped that way in addresses.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The URL schemes this crate takes.
pub(crate) const SCHEMES: &[&str] = &["amqp", "amqps", "rabbitmq", "rabbitmqs"];

/// Seconds; a silent connection is given up after two of them.
const HEARTBEAT: u16 = 10;

/// Where the broker is, and who we are there.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) tls: bool,
    /// At least one. The first is the one that addresses name.
    pub(crate) hosts: Vec<Host>,
    pub(crate) virtual_host: String,
    pub(crate) credentials: Credentials,
    /// Seconds; 0 leaves it to the broker.
    heartbeat: u16,
    /// What the broker's operators see of us.
    pub(crate) connection_name: Option<String>,
}

impl Settings {
    /// Reads `amqp://user:password@host:port/vhost?heartbeat=10&connection_name=orders`, with one host or several.
    pub(crate) fn read(text: &str) -> Result<Self, TransportError> {
        let urls = hosts::one_url_each(text)?;
        // They differ in the host alone.
        let url = &urls[0];
        let tls = match url.scheme() {
            "amqp" | "rabbitmq" => false,
            "amqps" | "rabbitmqs" => true,
            other => return Err(refuse(format!("the scheme `{other}` is not RabbitMQ's: write amqp:// or amqps://"))),
        };
        let host = |url: &url::Url| match url.host_str() {
            Some(name) if !name.is_empty() => {
                let name = name.trim_matches(['[', ']']).to_owned();
                Ok(Host { name, port: url.port().unwrap_or(default_port(tls)) })
            }
            _ => Err(refuse("the host is missing: write amqp://host/virtual-host".to_owned())),
        };
        let hosts = urls.iter().map(host).collect::<Result<Vec<_>, _>>()?;
        if let Some(again) = hosts.iter().enumerate().find_map(|(at, host)| hosts[..at].contains(host).then_some(host))
        {
            return Err(refuse(format!("the host {again} is there twice: write each once")));
        }
        let mut settings = Self {
            tls,
            hosts,
            virtual_host: "/".to_owned(),
            credentials: Credentials::new("guest", "guest"),
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
            read(&mut settings.credentials.user, decode(url.username(), "the user"));
        }
        if let Some(password) = url.password() {
            read(&mut settings.credentials.password, decode(password, "the password"));
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
    pub(crate) fn amqp_uri(&self, host: &Host, credentials: &Credentials) -> AMQPUri {
        let Credentials { user, password } = credentials.clone();
        AMQPUri {
            scheme: if self.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: user, password },
                host: host.name.clone(),
                port: host.port,
            },
            vhost: self.virtual_host.clone(),
            query: AMQPQueryString { heartbeat: Some(self.asked_heartbeat()), ..AMQPQueryString::default() },
        }
    }

    /// lapin looks every half heartbeat whether nothing came for two, so it finds a dead peer after up to two and a
    /// half: of four fifths, those are two of ours.
    fn asked_heartbeat(&self) -> u16 {
        match self.heartbeat {
            0 => 0,
            seconds => (u32::from(seconds) * 4 / 5).max(1) as u16,
        }
    }

    /// The first host, its port if not the usual one, and the virtual host, as addresses and errors name them:
    /// `rabbitmq://host:5673/vhost`; the root virtual host is no segment. It stays the same whichever host the
    /// connection goes to.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.tls { "rabbitmqs" } else { "rabbitmq" };
        let host = self.hosts[0].to_string();
        let host = host.strip_suffix(&format!(":{}", default_port(self.tls))).unwrap_or(&host);
        match self.virtual_host.as_str() {
            "/" => format!("{scheme}://{host}"),
            virtual_host => format!("{scheme}://{host}/{}", utf8_percent_encode(virtual_host, ESCAPED)),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("hosts", &self.hosts)
            .field("credentials", &self.credentials)
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
        assert_eq!(settings.credentials, Credentials::new("u@x", "p/w"));
        assert_eq!(settings.heartbeat, 3);
        assert_eq!(settings.connection_name.as_deref(), Some("n"));
        assert_eq!(Settings::read("amqp://h").unwrap().heartbeat, 10);
    }

    #[test]
    fn several_hosts_are_read_each_with_its_own_port_and_the_first_is_in_the_address() {
        let check = |url: &str, hosts: &[&str], address: &str| {
            let settings = Settings::read(url).unwrap();
            let read: Vec<_> = settings.hosts.iter().map(Host::to_string).collect();
            assert_eq!(
                (read, settings.address()),
                (hosts.iter().map(ToString::to_string).collect(), address.to_owned())
            );
            settings
        };
        check("amqp://a,b", &["a:5672", "b:5672"], "rabbitmq://a");
        let settings = check(
            "amqp://u:p%40,w@a:5673,b,[::1]:7/v?heartbeat=3",
            &["a:5673", "b:5672", "[::1]:7"],
            "rabbitmq://a:5673/v",
        );
        assert_eq!(settings.credentials, Credentials::new("u", "p@,w"));
        assert_eq!((settings.virtual_host.as_str(), settings.heartbeat), ("v", 3));
        check("amqps://[::1],b:5672/", &["[::1]:5671", "b:5672"], "rabbitmqs://[::1]");
        check("rabbitmq://h/a,b", &["h:5672"], "rabbitmq://h/a%2Cb");
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
            "amqp://u:secret@a,,b/v",
            "amqp://u:secret@a,/v",
            "amqp://u:secret@a,b:99999/v",
            "amqp://u:secret@a,b,a:5672/v",
            "amqp:u:secret@h",
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

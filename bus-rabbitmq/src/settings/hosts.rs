//! The nodes of a cluster, of which any will do.

use std::fmt;

use bus_core::transport::TransportError;
use url::Url;

use super::refuse;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// Without the brackets of IPv6.
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

/// A URL with one host for each that is written in it: `amqp://u:p@a:5672,b/v` is `amqp://u:p@a:5672/v` and
/// `amqp://u:p@b/v`. Nothing knows URLs with several hosts but those who write them.
pub(super) fn one_url_each(text: &str) -> Result<Vec<Url>, TransportError> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    let several = hosts.contains(',');
    let mut urls = Vec::new();
    for host in hosts.split(',') {
        if several && host.trim().is_empty() {
            return Err(refuse("a host is missing beside a comma: write amqp://a:5672,b:5672/virtual-host".to_owned()));
        }
        let one = match scheme {
            "" => text.to_owned(),
            _ => format!("{scheme}://{user}{}{behind}", host.trim()),
        };
        // The parser's own error texts quote nothing; the URL itself may hold a password.
        let url = Url::parse(&one)
            .map_err(|error| refuse(format!("{error}; write amqp://user:password@host:5672/virtual-host")))?;
        urls.push(url);
    }
    Ok(urls)
}

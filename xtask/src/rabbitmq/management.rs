use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// The management API of the broker that the tests run against.
#[derive(Debug, Clone)]
pub struct Management {
    /// `host:port`.
    authority: String,
    /// The value of the header `Authorization`.
    authorization: String,
}

/// The variable with the broker's URL, and the one with its management API's.
pub const AMQP_VARIABLE: &str = "BUS_TEST_AMQP_URL";
/// See [`AMQP_VARIABLE`].
pub const API_VARIABLE: &str = "BUS_TEST_RABBITMQ_API";

impl Management {
    /// For `http://user:password@host:port`.
    ///
    /// # Panics
    /// If the URL is of another form.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{API_VARIABLE} begins with http://"));
        let (credentials, authority) = rest.split_once('@').unwrap_or(("guest:guest", rest));
        let authority = authority.trim_end_matches('/').to_owned();
        Self { authority, authorization: format!("Basic {}", base64(credentials.as_bytes())) }
    }

    /// From the environment that `cargo xtask test` sets.
    ///
    /// # Panics
    /// If it is not set: a broker test never passes without a broker.
    #[must_use]
    pub fn from_env() -> Self {
        Self::new(&variable(API_VARIABLE))
    }

    /// One call, such as `call("PUT", "/api/vhosts/a", "")`; the status and the body of the answer.
    ///
    /// # Panics
    /// If nobody answers.
    pub fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let answer = self.ask(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status, body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let Self { authority, authorization } = self;
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {authority}\r\nAuthorization: {authorization}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// A virtual host of a test's own; deleted when dropped, with everything in it.
#[derive(Debug)]
pub struct VirtualHost {
    management: Management,
    name: String,
    url: String,
}

impl VirtualHost {
    /// A new one on the broker of the environment.
    ///
    /// # Panics
    /// If there is no broker, or it refuses.
    #[must_use]
    pub fn create() -> Self {
        Self::create_at(Management::from_env(), &variable(AMQP_VARIABLE))
    }

    /// A new one on the broker of that API and that URL.
    ///
    /// # Panics
    /// If there is no broker, or it refuses.
    #[must_use]
    pub fn create_at(management: Management, broker: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (status, answer) = management.call("PUT", &format!("/api/vhosts/{name}"), "");
        assert!(matches!(status, 201 | 204), "the virtual host {name} was not made: {status} {answer}");
        let scheme_end = broker.find("://").map_or(0, |at| at + 3);
        let end = broker[scheme_end..].find(['/', '?']).map_or(broker.len(), |at| scheme_end + at);
        Self { management, url: format!("{}/{name}", &broker[..end]), name }
    }

    /// Its AMQP URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The management API it was made through.
    #[must_use]
    pub fn management(&self) -> &Management {
        &self.management
    }
}

impl Drop for VirtualHost {
    #[allow(clippy::print_stderr, reason = "for whoever reads a test's output")]
    fn drop(&mut self) {
        // What a test showed is shown, also if a busy broker takes longer than that to tidy up.
        if let Err(error) = self.management.ask("DELETE", &format!("/api/vhosts/{}", self.name), "") {
            eprintln!("the virtual host {} was left behind: {error}", self.name);
        }
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("this test needs RabbitMQ: run `cargo xtask test`, or set {AMQP_VARIABLE} and {API_VARIABLE}")
    })
}

/// Standard base64 with padding (RFC 4648), for one header.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[at as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded() {
        for (plain, encoded) in
            [("guest:guest", "Z3Vlc3Q6Z3Vlc3Q="), ("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}

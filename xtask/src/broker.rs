//! `cargo xtask broker`: a private broker for running examples by hand.

use std::{env, io};
use xtask::rabbitmq::{self, Server};

/// For the examples and for single tests.
pub(crate) const AMQP_URL: &str = "BUS_TEST_AMQP_URL";
pub(crate) const API_URL: &str = "BUS_TEST_RABBITMQ_API";

/// A server that is running already, or one of ours, which ends with this value.
pub(crate) struct Broker {
    pub(crate) amqp_url: String,
    pub(crate) api_url: String,
    _server: Option<Server>,
}

impl Broker {
    /// The one that the environment names, else a private one; installs it if it is missing.
    pub(crate) fn obtain() -> Result<Self, String> {
        let given = |name| env::var(name).ok().filter(|url| !url.is_empty());
        match (given(AMQP_URL), given(API_URL)) {
            (Some(amqp_url), Some(api_url)) => {
                println!("using the server that {AMQP_URL} names");
                Ok(Self { amqp_url, api_url, _server: None })
            }
            (None, None) => Self::start().map_err(|e| e.to_string()),
            _ => Err(format!("set both {AMQP_URL} and {API_URL} (the management API of the same server), or neither")),
        }
    }

    fn start() -> Result<Self, rabbitmq::Error> {
        if !rabbitmq::installed() {
            rabbitmq::install()?;
        }
        let server = Server::start()?;
        Ok(Self { amqp_url: server.amqp_url(), api_url: server.management_url(), _server: Some(server) })
    }
}

pub(crate) fn run() -> Result<(), String> {
    let broker = Broker::start().map_err(|e| e.to_string())?;
    println!("{AMQP_URL}={}\n{API_URL}={}", broker.amqp_url, broker.api_url);
    println!("BUS_URL={}", broker.amqp_url);
    println!("# Ends with Ctrl-C, or at the end of the input.");
    // Ctrl-C ends this process without a word; the server's folder notices (see `Server`).
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(|e| format!("cannot read the input: {e}"))?;
    Ok(())
}

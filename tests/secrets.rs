//! Neither payloads nor credentials are shown: not in logs of any level, not in errors, not by `Debug`.

use std::{
    fmt::{Debug, Write},
    io,
    sync::{Mutex, OnceLock},
};

use bus::{Catalog, observer::Event, prelude::*};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

/// In every payload here.
const PAYLOAD: &str = "the-payload-of-somebody";
/// A number in every payload here.
const NUMBER: u32 = 918_273_645;
const PASSWORD: &str = "the-password-of-somebody";

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Secret {
    what: What,
    text: String,
    number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum What {
    Succeeds,
    Fails,
    Panics,
    Sends,
    Discards,
}

/// Messages of the same name with other members.
mod wrong {
    macro_rules! secret {
        ($module:ident, $what:ty, $number:ty) => {
            pub(super) mod $module {
                #[derive(Debug, serde::Serialize, serde::Deserialize, bus::Message)]
                #[message(namespace = "Bus.Tests")]
                pub(crate) struct Secret {
                    pub(crate) what: $what,
                    pub(crate) text: String,
                    pub(crate) number: $number,
                }
            }
        };
    }
    secret!(variant, String, u32);
    secret!(number, String, String);
    secret!(kind, u32, u32);
}

/// Everything that is logged in this process.
struct Log;

pub(crate) fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let filter = EnvFilter::new("bus=trace,bus_core=trace,bus_inmemory=trace,bus_rabbitmq=trace,lapin=warn");
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Log);
        tracing_subscriber::registry().with(filter).with(lines).init();
        Mutex::default()
    })
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        log().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is shown besides the log.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, what: &impl Debug) {
        let _ = writeln!(self.0, "{what:?} {what:#?}");
    }

    fn error(&mut self, error: &(dyn std::error::Error + 'static)) {
        let _ = writeln!(self.0, "{error} {error:?}");
        if let Some(source) = error.source() {
            self.error(source);
        }
    }

    /// Nothing that is secret is in it, or in the log.
    fn check(&self) {
        let log = String::from_utf8(log().lock().unwrap().clone()).unwrap();
        let all = format!("{log}{}", self.0);
        for secret in [PAYLOAD, PASSWORD, &NUMBER.to_string(), "somebody"] {
            let found: Vec<_> = all.lines().filter(|line| line.contains(secret)).collect();
            assert!(found.is_empty(), "{secret}: {found:#?}");
        }
    }
}

fn secret(what: What) -> Secret {
    Secret { what, text: PAYLOAD.to_owned(), number: NUMBER }
}

async fn handle(secret: Secret, ctx: Context) -> Result<(), Failure> {
    match secret.what {
        What::Succeeds => Ok(()),
        What::Fails => Err("it fails".into()),
        What::Panics => panic!("it panics"),
        What::Sends => Ok(ctx.send("queue:nowhere", secret).confirmed().await?),
        What::Discards => Err(Discard::new("stale").into()),
    }
}

/// All that can go wrong with a message.
async fn live(url: &str) {
    log();
    let mut shown = Shown::default();
    let events = std::sync::Arc::new(Mutex::new(String::new()));
    let seen = events.clone();
    let builder = bus::builder(url)
        .observer(move |event: &Event<'_>| {
            let _ = writeln!(seen.lock().unwrap(), "{event:?}");
        })
        .endpoint("secrets", |e| e.max_body(2000).retry(Retry::immediate(1)).consumer(handle));
    shown.debug(&builder);
    let bus = builder.build().unwrap();
    shown.debug(&bus);
    bus.start().await.unwrap();
    for what in [What::Succeeds, What::Fails, What::Panics, What::Sends, What::Discards] {
        bus.publish(secret(what)).await.unwrap();
    }
    let text = || PAYLOAD.to_owned();
    bus.publish(wrong::variant::Secret { what: text(), text: text(), number: 1 }).await.unwrap();
    let number = wrong::number::Secret { what: "Fails".to_owned(), text: text(), number: text() };
    bus.publish(number).await.unwrap();
    bus.publish(wrong::kind::Secret { what: NUMBER, text: text(), number: NUMBER }).await.unwrap();
    // A body that is no envelope, and one that is too large.
    bus.send("queue:secrets", secret(What::Fails)).raw_json().await.unwrap();
    bus.publish(Secret { text: PAYLOAD.repeat(200), ..secret(What::Fails) }).await.unwrap();
    bus.send("queue:secrets", Strange { text: text() }).await.unwrap();
    shown.error(&bus.send("queue:nowhere", secret(What::Fails)).await.unwrap_err());
    // Three that fail, three of other members, two that nobody reads; and one that nobody takes.
    let letters = loop {
        let letters = bus.dead_letters("secrets").list().await.unwrap();
        if letters.len() >= 9 {
            break letters;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(letters.iter().filter(|letter| letter.queue == "secrets_error").count(), 8, "{letters:#?}");
    shown.debug(&letters);
    shown.debug(&bus.health());
    bus.stop().await;
    shown.error(&bus.publish(secret(What::Fails)).await.unwrap_err());
    shown.0.push_str(&events.lock().unwrap());
    shown.check();
    let log = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    assert!(log.contains("a consumer failed for good") && log.contains("it panics"), "the log is read: {log}");
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests")]
struct Strange {
    text: String,
}

#[tokio::test]
async fn no_payload_is_shown_in_memory() {
    live("memory://secrets").await;
}

#[tokio::test]
async fn no_password_is_shown_of_urls_that_are_wrong() {
    log();
    let mut shown = Shown::default();
    for url in ["amqp", "nonsense", "memory", "amqps"] {
        for rest in ["host:port/v", "host/v/w", "host/?color=red", ""] {
            let builder = bus::Builder::new(format!("{url}://user:{PASSWORD}@{rest}"), bus::catalog());
            shown.debug(&builder);
            match builder.build() {
                Ok(bus) => shown.debug(&bus),
                Err(error) => shown.error(&error),
            }
        }
    }
    shown.debug(&Catalog::default());
    shown.check();
}

#[cfg(feature = "rabbitmq")]
#[tokio::test]
async fn no_payload_and_no_password_is_shown_on_rabbitmq() {
    let place = xtask::rabbitmq::VirtualHost::create();
    live(place.url()).await;
    let mut shown = Shown::default();
    let url = place.url().replacen("//guest:guest@", &format!("//guest:{PASSWORD}@"), 1);
    assert!(url.contains(PASSWORD));
    let bus = bus::builder(url).start_timeout(std::time::Duration::from_secs(60)).build().unwrap();
    shown.error(&bus.start().await.unwrap_err());
    shown.debug(&bus);
    shown.debug(&bus.health());
    shown.check();
}

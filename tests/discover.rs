//! Consumers that are found: all of this binary, in each test.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bus::{naming::EndpointNames, prelude::*, testing::Harness};

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Discover")]
struct Paid {}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(namespace = "Bus.Tests.Discover")]
struct Refunded {}

#[consumer(auto)]
async fn send_receipt(_: Paid) -> Result<(), Failure> {
    Ok(())
}

#[consumer(auto, endpoint = "books", prefetch = 8)]
async fn book(_: Paid, _ctx: Context) -> Result<(), Failure> {
    Ok(())
}

struct RefundsConsumer;

#[consumer(auto, endpoint = "books", concurrency = 1)]
impl RefundsConsumer {
    #[handle]
    async fn refund(&self, _: Refunded, _ctx: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

mod ledger {
    pub(super) struct LedgerConsumer {}
}

#[consumer(auto)]
impl ledger::LedgerConsumer {
    #[handle]
    async fn paid(&self, _: Paid) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn refunded(&self, _: Refunded) -> Result<(), Failure> {
        Ok(())
    }
}

struct Never;

#[consumer(auto)]
#[cfg(any())]
impl Never {
    #[handle]
    async fn paid(&self, _: NoSuchMessage) -> Result<(), Failure> {
        Ok(())
    }
}

#[consumer(auto)]
#[cfg(any())]
async fn never(_: NoSuchMessage) -> Result<(), Failure> {
    Ok(())
}

fn endpoints(bus: &Bus) -> Vec<String> {
    bus.health().endpoints.iter().map(|endpoint| endpoint.name.clone()).collect()
}

/// What `build()` says.
fn said(builder: bus::Builder) -> String {
    builder.build().unwrap_err().to_string()
}

#[tokio::test]
async fn consumers_are_found_and_those_of_one_endpoint_share_it() {
    let _ = Never;
    let h = Harness::start(|b| b.discover().discover()).await;
    assert_eq!(endpoints(&h), ["books", "ledger", "send-receipt"]);
    h.publish(Paid {}).await;
    h.publish(Refunded {}).await;
    h.settled().await;
    expect_test::expect![[r#"
        books consumes Paid (book)
        books consumes Refunded (RefundsConsumer::refund)
        ledger consumes Paid (LedgerConsumer::paid)
        ledger consumes Refunded (LedgerConsumer::refunded)
        send-receipt consumes Paid (send_receipt)
        the test publishes Paid
        the test publishes Refunded
    "#]]
    .assert_eq(&sorted(&h.trace()));
}

fn sorted(lines: &str) -> String {
    let mut lines: Vec<_> = lines.lines().collect();
    lines.sort_unstable();
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn what_is_found_follows_names_and_defaults_as_what_is_added() {
    let builder = bus::builder("memory://discovered-names")
        .endpoint_defaults(|e| e.consumer(async |_: Refunded| Ok::<(), Failure>(())))
        .discover()
        .endpoint_defaults(|e| e.prefetch(0))
        .endpoint_names(EndpointNames::snake().prefix("dev_"));
    assert_eq!(endpoints(&builder.build().unwrap()), ["books", "dev_ledger", "dev_send_receipt"]);
}

#[test]
fn a_consumer_or_an_endpoint_that_is_added_by_hand_too_is_a_problem() {
    expect_test::expect![[r#"
        the bus cannot be built; 2 things are wrong:
          - endpoint `books` is added by hand, and `.discover()` puts `facade::discover::RefundsConsumer::refund` on it, too: add the consumer there and remove its `auto`, or write `#[consumer(auto, endpoint = "another-name")]` --> tests/discover.rs:123:56
          - consumer `facade::discover::book` is added to endpoint `books`, and `.discover()` finds it, too: remove `auto` from its `#[consumer]`, or what adds it --> tests/discover.rs:123:56"#]]
    .assert_eq(&said(bus::builder("memory://mistakes").discover().endpoint("books", |e| e.consumer(book))));
    let twice = said(bus::builder("memory://mistakes").consumer(ledger::LedgerConsumer {}).discover());
    assert!(twice.contains("consumer `facade::discover::ledger::LedgerConsumer::paid` is added to endpoint `ledger`"));
}

#[test]
fn what_was_found_is_logged_in_an_order_of_its_own() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    // Without one for all threads, a line that another thread meets first may be lost to this one.
    drop(crate::secrets::log().lock());
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        bus::builder("memory://discovered-log").discover().build().unwrap();
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let found: String = log
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("was discovered"))
        .flat_map(|line| [line, "\n"])
        .collect();
    expect_test::expect![[r#"
        INFO bus_core::bus::discover: a consumer was discovered, and is on its endpoint consumer="facade::discover::RefundsConsumer::refund" endpoint="books" message_type="urn:message:Bus.Tests.Discover:Refunded"
        INFO bus_core::bus::discover: a consumer was discovered, and is on its endpoint consumer="facade::discover::book" endpoint="books" message_type="urn:message:Bus.Tests.Discover:Paid"
        INFO bus_core::bus::discover: a consumer was discovered, and is on its endpoint consumer="facade::discover::ledger::LedgerConsumer::paid" endpoint="ledger" message_type="urn:message:Bus.Tests.Discover:Paid"
        INFO bus_core::bus::discover: a consumer was discovered, and is on its endpoint consumer="facade::discover::ledger::LedgerConsumer::refunded" endpoint="ledger" message_type="urn:message:Bus.Tests.Discover:Refunded"
        INFO bus_core::bus::discover: a consumer was discovered, and is on its endpoint consumer="facade::discover::send_receipt" endpoint="send-receipt" message_type="urn:message:Bus.Tests.Discover:Paid"
    "#]].assert_eq(&found);
}

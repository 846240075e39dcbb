//! Every mistake that `build()` finds, in as few builders as they fit into, and what it says: the whole text.

use std::{fmt::Write, path::MAIN_SEPARATOR_STR, time::Duration};

use bus::{Error, inmemory, prelude::*};
use expect_test::expect_file;

mod contracts;
mod drivers;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;

use contracts::{Direct, Fanned, Named, Paid, Ping, Twin};

/// What `build()` says, with the same separators everywhere.
fn said(builder: bus::Builder) -> String {
    match builder.build() {
        Err(error @ Error::Build(_)) => format!("{error}\n").replace(MAIN_SEPARATOR_STR, "/"),
        other => panic!("{other:?}"),
    }
}

async fn pong(_: Ping) -> Result<(), Failure> {
    Ok(())
}

async fn wants(_: Ping, State(_): State<u32>, State(_): State<std::path::PathBuf>) -> Result<(), Failure> {
    Ok(())
}

struct Orders;

#[consumer(concurrency = 8)]
impl Orders {
    #[handle]
    async fn submit(&self, _: Ping, State(_): State<u32>) -> Result<(), Failure> {
        Ok(())
    }

    #[handle]
    async fn paid(&self, _: Paid) -> Result<(), Failure> {
        Ok(())
    }
}

/// All that no transport is needed for.
fn everywhere(builder: bus::Builder) -> bus::Builder {
    builder
        .state("given".to_owned())
        .start_timeout(Duration::ZERO)
        .send_timeout(Duration::ZERO)
        .state("twice".to_owned())
        .consumer(pong)
        .consumer(|_: Ping, State(_): State<u64>| async { Ok::<_, Failure>(()) })
        .consumer(Orders)
        .consumer(Orders)
        .endpoint("empty", |e| e)
        .endpoint("limits", |e| {
            e.consumer(pong)
                .prefetch(0)
                .concurrency(0)
                .timeout(Duration::ZERO)
                .max_body(0)
                .retry(
                    Retry::exponential(3, Duration::from_secs(9)..Duration::from_secs(1))
                        .only::<Error>()
                        .unless::<Error>(),
                )
                .effectively_once()
        })
        .endpoint("limits", |e| {
            e.consumer_with(wants, |c| {
                c.concurrency(0)
                    .timeout(Duration::ZERO)
                    .retry(Retry::exponential(3, Duration::ZERO..Duration::from_secs(1)))
            })
        })
        .endpoint("twice", |e| {
            e.consumer(pong).consumer(pong).consumer(Orders).consumer(Orders).with("one").with("two")
        })
        .endpoint("twins", |e| e.consumer(async |_: Twin| Ok::<_, Failure>(())))
        .endpoint("what a name!", |e| e.consumer(pong))
        .endpoint("", |e| e.consumer(pong))
        .endpoint("n".repeat(248), |e| e.consumer(pong))
        .endpoint("entities", |e| {
            e.consumer(async |_: Named| Ok::<_, Failure>(()))
                .consumer(async |_: Direct| Ok::<_, Failure>(()))
                .consumer(async |_: Fanned| Ok::<_, Failure>(()))
        })
        .endpoint("bound", |e| {
            e.consumer(pong)
                .bind("queue:empty")
                .bind("nowhere")
                .bind("exchange:a b?type=headers")
                .bind("exchange:bound")
                .bind("exchange:empty?type=topic")
                .bind_key("exchange:prices", "eu.*")
                .bind_key("exchange:prices?type=topic", "eu.*")
        })
        .endpoint_defaults(|e| e.max_body(0))
        .endpoint("defaults", |e| e.consumer(pong))
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_program() {
    let builder = everywhere(bus::builder("memory://mistakes")).endpoint("memory", |e| {
        e.consumer(pong).max_body(1).with(
            inmemory::endpoint().lease(Duration::ZERO).time_to_live(Duration::ZERO).max_length(0).dead_letter("memory"),
        )
    });
    expect_file!["memory.txt"].assert_eq(&said(builder));
}

/// The line of the golden text and the mistake's own do not depend on each other: each points to a call.
#[test]
fn a_problem_is_data_too() {
    let line = line!() + 1;
    let refused = bus::builder("memory://data").endpoint("orders", |e| e.consumer(wants)).build();
    let Err(Error::Build(error)) = refused else { panic!("{refused:?}") };
    let [number, path] = error.problems() else { panic!("{error}") };
    assert_eq!(number.endpoint.as_deref(), Some("orders"));
    assert_eq!(number.consumer.as_deref(), Some("facade::mistakes::wants"));
    assert_eq!(number.text, "needs `State<u32>`: give a `u32` to the builder with `.state(..)`");
    assert!(path.text.contains("PathBuf"), "{path}");
    let location = number.location.unwrap();
    assert_eq!((location.file(), location.line()), (file!(), line));
    assert_eq!(number.to_string(), format!("endpoint `orders`, consumer `wants`: {} --> {location}", number.text),);
}

#[test]
fn a_url_that_is_wrong_hides_nothing() {
    let mut text = String::new();
    for url in ["memory://", "memory://u:secret@shop?seed=x", "localhost", "carrier-pigeon://loft", ""] {
        let mut catalog = bus::Catalog::default();
        catalog.drivers.push(&inmemory::DRIVER);
        let options = inmemory::endpoint().max_length(0);
        let builder = bus::Builder::new(url, catalog)
            .consumer(pong)
            .endpoint("a b", |e| e.consumer(wants).with(options).bind("queue:a").bind("exchange:a b"))
            .endpoint("limits", |e| e.consumer(Orders).prefetch(0));
        let _ = writeln!(text, "{url}\n{}", said(builder));
    }
    assert!(!text.replace("u:secret@shop?seed=x\n", "").contains("secret"), "{text}");
    expect_file!["urls.txt"].assert_eq(&text);
}

#[test]
fn a_scheme_whose_feature_is_off_names_the_feature() {
    let mut catalog = bus::Catalog::default();
    catalog.missing.push(("amqp", "rabbitmq"));
    let location = concat!(file!(), ":");
    let text = said(bus::Builder::new("amqp://user:secret@localhost", catalog));
    let expected = "the bus cannot be built: scheme `amqp://` needs the cargo feature `rabbitmq` of `bus` --> ";
    assert!(text.starts_with(&format!("{expected}{location}")), "{text}");
}

#[cfg(not(feature = "rabbitmq"))]
#[test]
fn rabbitmq_is_a_feature() {
    let text = said(bus::builder("amqp://user:secret@localhost"));
    assert!(text.contains("scheme `amqp://` needs the cargo feature `rabbitmq` of `bus`"), "{text}");
}

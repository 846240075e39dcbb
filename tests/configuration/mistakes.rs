use bus::{configuration::Configuration, prelude::*};
use expect_test::{Expect, expect};

use super::{Ordered, Orders};

async fn mail(_: Ordered) -> Result<(), Failure> {
    Ok(())
}

mod other {
    pub(super) async fn mail(_: super::Ordered) -> Result<(), bus::consumer::Failure> {
        Ok(())
    }
}

/// What `build()` says.
fn check(configurations: impl IntoIterator<Item = Configuration>, expected: &Expect) {
    // What is compiled in would be in the texts.
    let catalog = bus::Catalog { drivers: vec![&bus::inmemory::DRIVER], missing: vec![("amqp", "rabbitmq")] };
    let builder = bus::Builder::new("memory://mistakes", catalog).endpoint("orders", |e| e.consumer(Orders));
    let builder =
        builder.endpoint("mail", |e| e.consumer(mail)).endpoint("ma.il", |e| e.consumer(mail).consumer(other::mail));
    let built = configurations.into_iter().fold(builder, bus::Builder::configuration).build();
    expected.assert_eq(&built.unwrap_err().to_string());
}

#[test]
fn every_mistake_in_files_is_told_at_once_with_its_place() {
    let files = ["mistakes.toml", "mistakes.json", "broken.toml", "broken.json", "missing.toml", "mistakes.rs"];
    let files = files.map(|file| Configuration::from_file(format!("tests/configuration/{file}")));
    check(
        files,
        &expect![[r#"
            the bus cannot be built; 42 things are wrong:
              - `start_timeout`: expected a duration, such as "200ms", "30s" or "1h 30m", found `30` --> tests/configuration/mistakes.toml:1:17
              - unknown key `stop_timout`: did you mean `stop_timeout`? --> tests/configuration/mistakes.toml:3:1
              - `url` is not set here: what the program gives to the builder is never outweighed, so that a forgotten file sends no messages to another broker --> tests/configuration/mistakes.toml:4:1
              - `endpoint_defaults`: unknown key `consumers`: there are `allow_reorder`, `concurrency`, `filters`, `max_body`, `memory`, `outbox`, `prefetch`, `raw_json`, `redeliver`, `retry`, `subscriptions`, `timeout` --> tests/configuration/mistakes.toml:7:1
              - `endpoint_defaults`, `timeout`: it must be longer than zero; for no limit write "none" --> tests/configuration/mistakes.toml:8:11
              - `endpoint_defaults`, `retry`: `soon` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m" --> tests/configuration/mistakes.toml:9:30
              - endpoint `orders`: unknown key `prefech`: did you mean `prefetch`? --> tests/configuration/mistakes.toml:12:1
              - endpoint `orders`: `prefetch`: expected a whole number from 1 to 65535, found `0` --> tests/configuration/mistakes.toml:13:12
              - endpoint `orders`: `concurrency`: expected a whole number from 1 to 65535, found `70000` --> tests/configuration/mistakes.toml:14:15
              - endpoint `orders`: `timeout`: `-5s` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m" --> tests/configuration/mistakes.toml:15:11
              - endpoint `orders`: `retry`: unknown name `exponental`: did you mean `exponential`? --> tests/configuration/mistakes.toml:16:11
              - endpoint `orders`: `redeliver`: `soon` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m" --> tests/configuration/mistakes.toml:17:20
              - endpoint `orders`: `allow_reorder`: expected true or false, found `1` --> tests/configuration/mistakes.toml:18:17
              - endpoint `orders`: `max_body`: expected a number of bytes from 1, or a size such as "64MiB", found `64 megs` --> tests/configuration/mistakes.toml:19:12
              - endpoint `orders`: `outbox`: expected true, false or "effectively_once", found `twice` --> tests/configuration/mistakes.toml:20:10
              - endpoint `orders`: `raw_json`: expected true or false, found a text --> tests/configuration/mistakes.toml:21:12
              - endpoint `orders`: `subscriptions`: expected true or false, found `1` --> tests/configuration/mistakes.toml:22:17
              - endpoint `orders`: `filters`: unknown name `audt`: did you mean `audit`? --> tests/configuration/mistakes.toml:24:14
              - endpoint `orders`: `filters`: unknown key `levl`: did you mean `level`? --> tests/configuration/mistakes.toml:25:23
              - endpoint `orders`: `filters`: expected true or false, found `1` --> tests/configuration/mistakes.toml:26:43
              - endpoint `orders`: `filters`: `name` is missing --> tests/configuration/mistakes.toml:27:5
              - endpoint `orders`: `filters`: expected a list of tables, such as [{ name = "audit" }] --> tests/configuration/mistakes.toml:28:5
              - endpoint `orders`: `memory`: unknown key `lanez`: did you mean `lanes`? --> tests/configuration/mistakes.toml:30:26
              - endpoint `orders`: `memory`: expected a whole number, found `-1` --> tests/configuration/mistakes.toml:30:53
              - endpoint `orders`: unknown key `rabitmq`: there are `allow_reorder`, `concurrency`, `consumers`, `filters`, `max_body`, `memory`, `outbox`, `prefetch`, `raw_json`, `redeliver`, `retry`, `subscriptions`, `timeout` --> tests/configuration/mistakes.toml:31:1
              - endpoint `orders`, consumer `Order`: `timeout`: `1 day` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m" --> tests/configuration/mistakes.toml:34:11
              - endpoint `orders`, consumer `Orders`: unknown key `prefetch`: there are `concurrency`, `filters`, `retry`, `timeout` --> tests/configuration/mistakes.toml:37:1
              - endpoint `orders`, consumer `Orders`: `timeout`: expected a duration, such as "30s", or "none", found `30` --> tests/configuration/mistakes.toml:38:11
              - endpoint `orders`, consumer `Orders`: `retry`: `min` is longer than `max` --> tests/configuration/mistakes.toml:39:9
              - endpoint `mail`: `retry`: expected one of `none`, `immediate`, `interval`, `intervals`, `incremental`, `exponential` --> tests/configuration/mistakes.toml:46:9
              - endpoint `orders`: `prefetch`: expected a whole number from 1 to 65535, found `many` --> tests/configuration/mistakes.json:3:33
              - endpoint `orders`: `retry`: `pause` is missing --> tests/configuration/mistakes.json:3:64
              - endpoint `mail`: expected a table --> tests/configuration/mistakes.json:4:17
              - this is no TOML: invalid basic string, expected `"` --> tests/configuration/broken.toml:2:16
              - this is no JSON: key must be a string --> tests/configuration/broken.json:2:47
              - this cannot be read: No such file or directory (os error 2) --> tests/configuration/missing.toml
              - its extension says how it is written: `.toml` or `.json` --> tests/configuration/mistakes.rs
              - unknown endpoint `ordrs`: did you mean `orders`? --> tests/configuration/mistakes.toml:41:12
              - endpoint `orders`: unknown consumer `Order`: did you mean `Orders`? --> tests/configuration/mistakes.toml:33:29
              - `send_timeout` must be longer than zero; 30 s is the default --> tests/configuration/mistakes.toml:2:1
              - endpoint `mail`: a delay of `.redeliver(..)` must be longer than zero: `.retry(..)` tries again at once --> tests/configuration/mistakes.toml:45:1
              - endpoint `mail`: `.effectively_once()` needs a store that survives the process: give one to the builder with `.persistence(..)`, or write `.outbox()`, which suppresses duplicates while the process lives --> tests/configuration/mistakes.toml:47:1"#]],
    );
}

#[test]
fn every_mistake_in_the_environment_is_told_at_once_with_its_variable() {
    let variables = [
        ("BUS_URL", "memory://elsewhere"),
        ("BUS__", "x"),
        ("BUS__ENDPOINTS", "[1]"),
        ("BUS__ENDPOINT_DEFAULTS", "{\"prefetch\": 5, \"prefech\": 5}"),
        ("BUS__ENDPOINT_DEFAULTS__PREFETCH", "6"),
        ("BUS__SEND_TIMEOUT", "soon"),
        ("BUS__START_TIMOUT", "1s"),
        ("BUS__URL", "amqp://user:secret@elsewhere"),
    ];
    check(
        [Configuration::from_variables(variables)],
        &expect![[r#"
            the bus cannot be built; 7 things are wrong:
              - a part of its name is empty: write it as `BUS__ENDPOINTS__ORDERS__PREFETCH` --> BUS__
              - `BUS__ENDPOINT_DEFAULTS` says all of `endpoint_defaults` already: keep one --> BUS__ENDPOINT_DEFAULTS__PREFETCH
              - `endpoints`: expected a table --> BUS__ENDPOINTS
              - `endpoint_defaults`: unknown key `prefech`: did you mean `prefetch`? --> BUS__ENDPOINT_DEFAULTS
              - `send_timeout`: `soon` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m" --> BUS__SEND_TIMEOUT
              - unknown key `start_timout`: did you mean `start_timeout`? --> BUS__START_TIMOUT
              - `url` is not set here: what the program gives to the builder is never outweighed, so that a forgotten file sends no messages to another broker --> BUS__URL"#]],
    );
    let variables = [
        ("BUS__ENDPOINTS__MAIL__PREFETCH", "4"),
        ("BUS__ENDPOINTS__ORDERS__CONCURRENCY", "many"),
        ("BUS__ENDPOINTS__ORDERS__FILTERS", "[{\"name\": \"audt\"}]"),
        ("BUS__ENDPOINTS__ORDERS__MEMORY__LANES", "yes"),
        ("BUS__ENDPOINTS__ORDERS__PREFETCH", "0"),
        ("BUS__ENDPOINTS__ORDERS__RAW_JSON", "1"),
        ("BUS__ENDPOINTS__ORDERS__RETRY", "{\"immediate\": 3"),
        ("BUS__ENDPOINTS__ORDERS__RETRY__IMMEDIATE", "3"),
        ("BUS__ENDPOINTS__ORDRS__PREFETCH", "3"),
        ("BUS__ENDPOINTS____PREFETCH", "3"),
    ];
    check(
        [Configuration::from_variables(variables)],
        &expect![[r#"
            the bus cannot be built; 10 things are wrong:
              - `BUS__ENDPOINTS__ORDERS__RETRY` says all of `retry` already: keep one --> BUS__ENDPOINTS__ORDERS__RETRY__IMMEDIATE
              - a part of its name is empty: write it as `BUS__ENDPOINTS__ORDERS__PREFETCH` --> BUS__ENDPOINTS____PREFETCH
              - endpoint `orders`: `concurrency`: expected a whole number from 1 to 65535, found `many` --> BUS__ENDPOINTS__ORDERS__CONCURRENCY
              - endpoint `orders`: `filters`: unknown name `audt`: did you mean `audit`? --> BUS__ENDPOINTS__ORDERS__FILTERS
              - endpoint `orders`: `memory`: expected true or false, found a text --> BUS__ENDPOINTS__ORDERS__MEMORY__LANES
              - endpoint `orders`: `prefetch`: expected a whole number from 1 to 65535, found `0` --> BUS__ENDPOINTS__ORDERS__PREFETCH
              - endpoint `orders`: `raw_json`: expected true or false, found a text --> BUS__ENDPOINTS__ORDERS__RAW_JSON
              - endpoint `orders`: `retry`: this is no JSON: EOF while parsing an object at line 1 column 15 --> BUS__ENDPOINTS__ORDERS__RETRY
              - endpoint `mail` may be `mail` or `ma.il`: name it in a file, or rename one of them --> BUS__ENDPOINTS__MAIL__PREFETCH
              - unknown endpoint `ordrs`: did you mean `orders`? --> BUS__ENDPOINTS__ORDRS__PREFETCH"#]],
    );
}

#[test]
fn a_consumer_that_cannot_be_named_is_told() {
    check(
        [Configuration::from_toml("[endpoints.'ma.il'.consumers]\nmail.concurrency = 1\nmali.concurrency = 1")],
        &expect![[r#"
            the bus cannot be built; 2 things are wrong:
              - endpoint `ma.il`: two consumers are called `mail`: only the program can tell them apart, set it there --> TOML:2:1
              - endpoint `ma.il`: unknown consumer `mali`: there are `mail` --> TOML:3:1"#]],
    );
}

#[test]
fn a_mistake_has_the_place_of_who_was_heard_last() {
    let build = |toml: &str| {
        bus::builder("memory://heard-last")
            .configuration(Configuration::from_toml(toml))
            .endpoint("orders", |e| e.prefetch(0).redeliver([std::time::Duration::ZERO]).consumer(Orders))
            .build()
    };
    let places = |toml: &str| {
        let Err(bus::Error::Build(error)) = build(toml) else { panic!("it was built") };
        let places = error.problems().iter().map(|problem| (problem.location.is_some(), problem.configured.clone()));
        places.collect::<Vec<_>>()
    };
    assert_eq!(places(""), [(true, None), (true, None)]);
    assert_eq!(places("endpoint_defaults.redeliver = ['1s']"), [(true, None), (true, None)]);
    let configured = |place: &str| (false, Some(place.to_owned()));
    let redeliver = "[endpoints.orders]\nprefetch = 4\nredeliver = ['0s']";
    assert_eq!(places(redeliver), [configured("TOML:3:1")]);
    let pace = "{ exponential = { limit = 1, min = '0s', max = '1s' } }";
    let consumer = format!("{redeliver}\nconsumers.Orders.retry = {pace}");
    assert_eq!(places(&consumer), [configured("TOML:4:18"), configured("TOML:3:1")]);
    let doubt = "[endpoints.orders]\nredeliver = []\nprefetch = 2\nconcurrency = 4";
    let warnings = build(doubt).unwrap().warnings().to_vec();
    assert!(warnings[0].ends_with("write a prefetch of at least 4 --> TOML:3:1"), "{warnings:?}");
}

#[test]
fn a_pace_of_another_kind_is_told_how_it_is_written() {
    check(
        [Configuration::from_toml("[endpoints.orders]\nretry = 3")],
        &expect![[
            r#"the bus cannot be built: endpoint `orders`: `retry`: expected `"none"` or a pace, such as `{ immediate = 3 }` or `{ interval = { limit = 3, pause = "1s" } }`, found `3` --> TOML:2:9"#
        ]],
    );
}

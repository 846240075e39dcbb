use bus::{configuration::Configuration, prelude::*};
use expect_test::{Expect, expect};

use super::{Ordered, Orders};

async fn mail(_: Ordered) -> Result<(), Failure> {
    Ok(())
}

/// What `build()` says.
fn check(configurations: impl IntoIterator<Item = Configuration>, expected: &Expect) {
    // What is compiled in would be in the texts.
    let catalog = bus::Catalog { drivers: vec![&bus::inmemory::DRIVER], missing: vec![("amqp", "rabbitmq")] };
    let builder = bus::Builder::new("memory://mistakes", catalog).endpoint("orders", |e| e.consumer(Orders));
    let builder = builder.endpoint("mail", |e| e.consumer(mail)).endpoint("ma.il", |e| e.consumer(mail).consumer(mail));
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
            the bus cannot be built; 38 things are wrong:
              - tests/configuration/mistakes.toml:1:17: `start_timeout`: expected a duration, such as "200ms", "30s" or "1h 30m", found `30`
              - tests/configuration/mistakes.toml:2:1: unknown key `stop_timout`: did you mean `stop_timeout`?
              - tests/configuration/mistakes.toml:3:1: `url` is not set here: what the program gives to the builder is never outweighed, so that a forgotten file sends no messages to another broker
              - tests/configuration/mistakes.toml:6:1: `endpoint_defaults`: unknown key `consumers`: there are `concurrency`, `filters`, `max_body`, `memory`, `outbox`, `prefetch`, `raw_json`, `retry`, `subscriptions`, `timeout`
              - tests/configuration/mistakes.toml:7:11: `endpoint_defaults`, `timeout`: it must be longer than zero; for no limit write "none"
              - tests/configuration/mistakes.toml:8:30: `endpoint_defaults`, `retry`: `soon` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m"
              - tests/configuration/mistakes.toml:11:1: endpoint `orders`: unknown key `prefech`: did you mean `prefetch`?
              - tests/configuration/mistakes.toml:12:12: endpoint `orders`, `prefetch`: expected a whole number from 1 to 65535, found `0`
              - tests/configuration/mistakes.toml:13:15: endpoint `orders`, `concurrency`: expected a whole number from 1 to 65535, found `70000`
              - tests/configuration/mistakes.toml:14:11: endpoint `orders`, `timeout`: `-5s` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m"
              - tests/configuration/mistakes.toml:15:11: endpoint `orders`, `retry`: unknown name `exponental`: did you mean `exponential`?
              - tests/configuration/mistakes.toml:16:12: endpoint `orders`, `max_body`: expected a number of bytes from 1, or a size such as "64MiB", found `64 megs`
              - tests/configuration/mistakes.toml:17:10: endpoint `orders`, `outbox`: expected true, false or "effectively_once", found `twice`
              - tests/configuration/mistakes.toml:18:12: endpoint `orders`, `raw_json`: expected true or false, found a text
              - tests/configuration/mistakes.toml:19:17: endpoint `orders`, `subscriptions`: expected true or false, found `1`
              - tests/configuration/mistakes.toml:21:14: endpoint `orders`, `filters`: unknown name `audt`: did you mean `audit`?
              - tests/configuration/mistakes.toml:22:23: endpoint `orders`, `filters`: unknown key `levl`: did you mean `level`?
              - tests/configuration/mistakes.toml:23:43: endpoint `orders`, `filters`: expected true or false, found `1`
              - tests/configuration/mistakes.toml:24:5: endpoint `orders`, `filters`: `name` is missing
              - tests/configuration/mistakes.toml:25:5: endpoint `orders`, `filters`: expected a list of tables, such as [{ name = "audit" }]
              - tests/configuration/mistakes.toml:27:26: endpoint `orders`, `memory`: unknown key `lanez`: did you mean `lanes`?
              - tests/configuration/mistakes.toml:27:53: endpoint `orders`, `memory`: expected a whole number, found `-1`
              - tests/configuration/mistakes.toml:28:1: endpoint `orders`: unknown key `rabitmq`: there are `concurrency`, `consumers`, `filters`, `max_body`, `memory`, `outbox`, `prefetch`, `raw_json`, `retry`, `subscriptions`, `timeout`
              - tests/configuration/mistakes.toml:31:11: endpoint `orders`, consumer `Order`, `timeout`: `1 day` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m"
              - tests/configuration/mistakes.toml:34:1: endpoint `orders`, consumer `Orders`: unknown key `prefetch`: there are `concurrency`, `filters`, `retry`, `timeout`
              - tests/configuration/mistakes.toml:35:11: endpoint `orders`, consumer `Orders`, `timeout`: expected a duration, such as "30s", or "none", found `30`
              - tests/configuration/mistakes.toml:36:9: endpoint `orders`, consumer `Orders`, `retry`: `min` is longer than `max`
              - tests/configuration/mistakes.toml:42:9: endpoint `mail`, `retry`: expected one of `none`, `immediate`, `interval`, `intervals`, `incremental`, `exponential`
              - tests/configuration/mistakes.json:3:33: endpoint `orders`, `prefetch`: expected a whole number from 1 to 65535, found `many`
              - tests/configuration/mistakes.json:3:64: endpoint `orders`, `retry`: `pause` is missing
              - tests/configuration/mistakes.json:4:17: endpoint `mail`: expected a table
              - tests/configuration/broken.toml:2:16: this is no TOML: invalid basic string, expected `"`
              - tests/configuration/broken.json:2:47: this is no JSON: key must be a string
              - tests/configuration/missing.toml: cannot be read: No such file or directory (os error 2)
              - tests/configuration/mistakes.rs: its extension says how it is written: `.toml` or `.json`
              - tests/configuration/mistakes.toml:38:12: unknown endpoint `ordrs`: did you mean `orders`?
              - tests/configuration/mistakes.toml:30:29: endpoint `orders`: unknown consumer `Order`: did you mean `Orders`?
              - tests/configuration/mistakes.toml:43:1: endpoint `mail` asks for `.effectively_once()`, which needs a store that survives the process: give one to the builder with `.persistence(..)`, or write `.outbox()`, which suppresses duplicates while the process lives"#]],
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
          - BUS__: a part of its name is empty: write it as `BUS__ENDPOINTS__ORDERS__PREFETCH`
          - BUS__ENDPOINT_DEFAULTS__PREFETCH: `BUS__ENDPOINT_DEFAULTS` says all of `endpoint_defaults` already: keep one
          - BUS__ENDPOINTS: `endpoints`: expected a table
          - BUS__ENDPOINT_DEFAULTS: `endpoint_defaults`: unknown key `prefech`: did you mean `prefetch`?
          - BUS__SEND_TIMEOUT: `send_timeout`: `soon` is no duration: write it with its unit, such as "200ms", "30s" or "1h 30m"
          - BUS__START_TIMOUT: unknown key `start_timout`: did you mean `start_timeout`?
          - BUS__URL: `url` is not set here: what the program gives to the builder is never outweighed, so that a forgotten file sends no messages to another broker"#]],
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
          - BUS__ENDPOINTS__ORDERS__RETRY__IMMEDIATE: `BUS__ENDPOINTS__ORDERS__RETRY` says all of `retry` already: keep one
          - BUS__ENDPOINTS____PREFETCH: a part of its name is empty: write it as `BUS__ENDPOINTS__ORDERS__PREFETCH`
          - BUS__ENDPOINTS__ORDERS__CONCURRENCY: endpoint `orders`, `concurrency`: expected a whole number from 1 to 65535, found `many`
          - BUS__ENDPOINTS__ORDERS__FILTERS: endpoint `orders`, `filters`: unknown name `audt`: did you mean `audit`?
          - BUS__ENDPOINTS__ORDERS__MEMORY__LANES: endpoint `orders`, `memory`: expected true or false, found a text
          - BUS__ENDPOINTS__ORDERS__PREFETCH: endpoint `orders`, `prefetch`: expected a whole number from 1 to 65535, found `0`
          - BUS__ENDPOINTS__ORDERS__RAW_JSON: endpoint `orders`, `raw_json`: expected true or false, found a text
          - BUS__ENDPOINTS__ORDERS__RETRY: endpoint `orders`, `retry`: this is no JSON: EOF while parsing an object at line 1 column 15
          - BUS__ENDPOINTS__MAIL__PREFETCH: endpoint `mail` may be `mail` or `ma.il`: name it in a file, or rename one of them
          - BUS__ENDPOINTS__ORDRS__PREFETCH: unknown endpoint `ordrs`: did you mean `orders`?"#]],
    );
}

#[test]
fn a_consumer_that_cannot_be_named_is_told() {
    check(
        [Configuration::from_toml("[endpoints.'ma.il'.consumers]\nmail.concurrency = 1\nmali.concurrency = 1")],
        &expect![[r#"
            the bus cannot be built; 2 things are wrong:
              - TOML:2:1: endpoint `ma.il`: two consumers are called `mail`: only the program can tell them apart, set it there
              - TOML:3:1: endpoint `ma.il`: unknown consumer `mali`: there are `mail`"#]],
    );
}

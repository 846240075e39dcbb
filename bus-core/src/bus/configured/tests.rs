use std::time::Duration;

use super::*;
use crate::{
    bus::endpoint_defaults::EndpointDefaults,
    consumer::{ConsumerSettings as Attributes, Registration},
};

type Say = fn(EndpointBuilder) -> EndpointBuilder;

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// A setting, said by everybody who can.
struct Ladder {
    key: &'static str,
    defaults: Say,
    configured_defaults: &'static str,
    attribute: Attributes,
    builder: Say,
    file: &'static str,
    later_file: &'static str,
    environment: &'static str,
    get: fn(&EndpointBuilder) -> String,
    /// What holds when nobody, the first, the first two, … have said something.
    expected: [&'static str; 8],
}

impl Ladder {
    /// The endpoint when the first `heard` of them have said something.
    fn endpoint(&self, heard: usize) -> EndpointBuilder {
        let mut defaults = EndpointDefaults::default();
        if heard >= 1 {
            defaults.add(self.defaults);
        }
        let mut endpoint = defaults.endpoint("orders".to_owned());
        if heard >= 3 {
            let settings = self.attribute;
            endpoint.add(Registration { name: Some("Orders"), settings, entries: Vec::new() }, |consumer| consumer);
        }
        if heard >= 4 {
            endpoint = (self.builder)(endpoint);
        }
        let mut configurations = Vec::new();
        // The environment is given first, and counts most.
        if heard >= 7 {
            let name = format!("BUS__ENDPOINTS__ORDERS__{}", self.key.to_uppercase());
            configurations.push(Configuration::from_variables([(name, self.environment)]));
        }
        if heard >= 2 {
            let text = format!("endpoint_defaults.{} = {}", self.key, self.configured_defaults);
            configurations.push(Configuration::from_toml(&text));
        }
        for (rung, said) in [(5, self.file), (6, self.later_file)] {
            if heard >= rung {
                let text = format!("endpoints.orders.{} = {said}", self.key);
                configurations.push(Configuration::from_toml(&text));
            }
        }
        let mut endpoints = [endpoint];
        assert_eq!(apply(configurations, &mut Timeouts::default(), &mut endpoints), [""; 0], "{}", self.key);
        let [endpoint] = endpoints;
        endpoint
    }
}

fn apply(
    configurations: Vec<Configuration>,
    timeouts: &mut Timeouts,
    endpoints: &mut [EndpointBuilder],
) -> Vec<String> {
    let mut problems = Vec::new();
    configure(configurations, &Catalog::default(), timeouts, endpoints, &mut problems);
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn of_two_who_say_a_setting_of_an_endpoint_the_one_who_counts_more_is_heard() {
    let attributes = Attributes { prefetch: Some(3), concurrency: Some(3), ..Attributes::default() };
    let numbers = |key, defaults, builder, get| Ladder {
        key,
        defaults,
        configured_defaults: "2",
        attribute: attributes,
        builder,
        file: "5",
        later_file: "6",
        environment: "7",
        get,
        expected: ["None", "Some(1)", "Some(2)", "Some(3)", "Some(4)", "Some(5)", "Some(6)", "Some(7)"],
    };
    let switch = |key, defaults, builder, get, [no, yes]: [&'static str; 2]| Ladder {
        key,
        defaults,
        configured_defaults: no,
        attribute: attributes,
        builder,
        file: no,
        later_file: yes,
        environment: no,
        get,
        expected: [no, yes, no, no, yes, no, yes, no],
    };
    for ladder in [
        numbers("prefetch", |e| e.prefetch(1), |e| e.prefetch(4), |e| format!("{:?}", *e.prefetch)),
        numbers("concurrency", |e| e.concurrency(1), |e| e.concurrency(4), |e| format!("{:?}", *e.concurrency)),
        switch(
            "raw_json",
            EndpointBuilder::raw_json,
            EndpointBuilder::raw_json,
            |e| e.raw_json.to_string(),
            ["false", "true"],
        ),
        switch(
            "allow_reorder",
            EndpointBuilder::allow_reorder,
            EndpointBuilder::allow_reorder,
            |e| e.redelivery().reorders.to_string(),
            ["false", "true"],
        ),
        switch(
            "subscriptions",
            EndpointBuilder::without_subscriptions,
            EndpointBuilder::without_subscriptions,
            |e| e.subscribes.to_string(),
            ["true", "false"],
        ),
        Ladder {
            key: "timeout",
            defaults: |e| e.timeout(seconds(1)),
            configured_defaults: "'2s'",
            attribute: attributes,
            builder: |e| e.timeout(seconds(4)),
            file: "'5s'",
            later_file: "'none'",
            environment: "1h 7s",
            get: |e| format!("{:?}", *e.timeout),
            expected: ["None", "Some(1s)", "Some(2s)", "Some(2s)", "Some(4s)", "Some(5s)", "None", "Some(3607s)"],
        },
        Ladder {
            key: "retry",
            defaults: |e| e.retry(Retry::immediate(1)),
            configured_defaults: "{ immediate = 2 }",
            attribute: attributes,
            builder: |e| e.retry(Retry::immediate(4)),
            file: "{ interval = { limit = 5, pause = '1s' } }",
            later_file: "'none'",
            environment: r#"{"intervals": ["1s", "2s", "3s", "4s", "5s", "6s", "7s"]}"#,
            get: |e| e.retry.limit().to_string(),
            expected: ["0", "1", "2", "2", "4", "5", "0", "7"],
        },
        Ladder {
            key: "redeliver",
            defaults: |e| e.redeliver([seconds(1)]),
            configured_defaults: "['2s']",
            attribute: attributes,
            builder: |e| e.redeliver([seconds(4)]),
            file: "['5s', '1m']",
            later_file: "[]",
            environment: r#"["7s"]"#,
            get: |e| format!("{:?}", e.redelivery().delays),
            expected: ["[]", "[1s]", "[2s]", "[2s]", "[4s]", "[5s, 60s]", "[]", "[7s]"],
        },
        Ladder {
            key: "outbox",
            defaults: EndpointBuilder::outbox,
            configured_defaults: "false",
            attribute: attributes,
            builder: EndpointBuilder::effectively_once,
            file: "true",
            later_file: "'effectively_once'",
            environment: "false",
            get: |e| format!("{:?}", *e.outbox),
            expected: ["Off", "On", "Off", "Off", "Durable", "On", "Durable", "Off"],
        },
        Ladder {
            key: "max_body",
            defaults: |e| e.max_body(1),
            configured_defaults: "2",
            attribute: attributes,
            builder: |e| e.max_body(4),
            file: "'5KiB'",
            later_file: "6",
            environment: "7MB",
            get: |e| e.max_body.to_string(),
            expected: ["67108864", "1", "2", "2", "4", "5120", "6", "7000000"],
        },
    ] {
        for (heard, expected) in ladder.expected.iter().enumerate() {
            assert_eq!((ladder.get)(&ladder.endpoint(heard)), *expected, "{} with {heard}", ladder.key);
        }
    }
}

#[test]
fn of_two_who_say_a_setting_of_a_consumer_the_one_who_counts_more_is_heard() {
    let settings = || {
        [
            Configuration::from_variables([
                ("BUS__ENDPOINTS__ORDERS__CONSUMERS__ORDER_AUDIT__CONCURRENCY", "4"),
                ("BUS__ENDPOINTS__ORDERS__CONSUMERS__ORDER_AUDIT__TIMEOUT", "none"),
                ("BUS__ENDPOINTS__ORDERS__CONSUMERS__ORDER_AUDIT__RETRY__IMMEDIATE", "4"),
            ]),
            Configuration::from_toml(
                "[endpoints.orders.consumers.OrderAudit]\nconcurrency = 2\ntimeout = '2s'\nretry = { immediate = 2 }",
            ),
            Configuration::from_toml(
                "[endpoints.orders.consumers.OrderAudit]\nconcurrency = 3\ntimeout = '3s'\nretry = { immediate = 3 }",
            ),
        ]
    };
    let heard = |which: &[usize]| {
        let mut endpoint = EndpointBuilder::new("orders".to_owned());
        let registration =
            Registration { name: Some("OrderAudit"), settings: Attributes::default(), entries: Vec::new() };
        endpoint.add(registration, |c| c.concurrency(1).timeout(seconds(1)).retry(Retry::immediate(1)));
        let mut endpoints = [endpoint];
        let configurations = settings().into_iter().enumerate().filter(|(at, _)| which.contains(at)).map(|(_, it)| it);
        assert_eq!(apply(configurations.collect(), &mut Timeouts::default(), &mut endpoints), [""; 0]);
        let consumer = &endpoints[0].consumers[0];
        (*consumer.concurrency, *consumer.timeout, consumer.retry.as_ref().map(Retry::limit))
    };
    assert_eq!(heard(&[]), (Some(1), Some(seconds(1)), Some(1)));
    assert_eq!(heard(&[1]), (Some(2), Some(seconds(2)), Some(2)));
    assert_eq!(heard(&[1, 2]), (Some(3), Some(seconds(3)), Some(3)));
    assert_eq!(heard(&[0, 1, 2]), (Some(4), Some(Duration::MAX), Some(4)));
}

#[test]
fn of_two_who_say_a_setting_of_the_bus_the_one_who_counts_more_is_heard() {
    let environment = [
        ("BUS__START_TIMEOUT", "4s"),
        ("BUS__STOP_TIMEOUT", "4s"),
        ("BUS__SEND_TIMEOUT", "4s"),
        ("BUS_URL", "memory://elsewhere"),
        ("BUS_SEED", "7"),
        ("BUSY", "1"),
    ];
    let all = "start_timeout = '2s'\nstop_timeout = '2s'\nsend_timeout = '2s'";
    let said = [
        Configuration::from_variables(environment),
        Configuration::from_toml(all),
        Configuration::from_toml(&all.replace('2', "3")),
    ];
    for (heard, expected) in [(&said[..0], 1), (&said[1..2], 2), (&said[1..], 3), (&said[..], 4)] {
        let mut timeouts = Timeouts::default();
        timeouts.start.call(seconds(1));
        timeouts.stop.call(seconds(1));
        timeouts.send.call(seconds(1));
        assert_eq!(apply(heard.to_vec(), &mut timeouts, &mut []), [""; 0]);
        let limits = timeouts.limits();
        assert_eq!([limits.start, limits.stop, limits.send], [seconds(expected); 3]);
    }
}

#[test]
fn a_configuration_changes_the_pace_of_retries_and_leaves_which_errors_are_retried() {
    let endpoint = EndpointBuilder::new("orders".to_owned()).retry(Retry::none().unless::<std::fmt::Error>());
    let mut endpoints = [endpoint];
    endpoints[0]
        .add(Registration { name: Some("Orders"), settings: Attributes::default(), entries: Vec::new() }, |consumer| {
            consumer
        });
    let text = "[endpoints.orders]\nconsumers.Orders.retry = { immediate = 2 }\nretry = { immediate = 3 }";
    assert_eq!(apply(vec![Configuration::from_toml(text)], &mut Timeouts::default(), &mut endpoints), [""; 0]);
    let [endpoint] = &endpoints;
    let consumer = endpoint.consumers[0].retry.as_ref().unwrap();
    for (retry, limit) in [(&*endpoint.retry, 3), (consumer, 2)] {
        assert_eq!(retry.limit(), limit);
        assert!(!retry.takes(&std::fmt::Error.into()));
        assert!(retry.takes(&std::io::Error::other("x").into()));
    }
}

#[test]
fn every_pace_can_be_written() {
    for (written, expected) in [
        ("'none'", Retry::none()),
        ("{ immediate = 3 }", Retry::immediate(3)),
        ("{ interval = { limit = 3, pause = '1s' } }", Retry::interval(3, seconds(1))),
        ("{ intervals = ['1s', '5s'] }", Retry::intervals([seconds(1), seconds(5)])),
        (
            "{ incremental = { limit = 3, initial = '1s', increment = '2s' } }",
            Retry::incremental(3, seconds(1), seconds(2)),
        ),
        (
            "{ exponential = { limit = 5, min = '200ms', max = '10s' } }",
            Retry::exponential(5, Duration::from_millis(200)..seconds(10)),
        ),
    ] {
        let mut endpoints = [EndpointBuilder::new("orders".to_owned())];
        let said = vec![Configuration::from_toml(&format!("endpoints.orders.retry = {written}"))];
        assert_eq!(apply(said, &mut Timeouts::default(), &mut endpoints), [""; 0], "{written}");
        assert_eq!(format!("{:?}", *endpoints[0].retry), format!("{expected:?}"), "{written}");
    }
}

#[test]
fn a_pace_can_be_said_by_variables() {
    for (variables, limit) in [
        (vec![("RETRY", "none")], 0),
        (vec![("RETRY__IMMEDIATE", "3")], 3),
        (vec![("RETRY__INTERVAL__LIMIT", "4"), ("RETRY__INTERVAL__PAUSE", "1s")], 4),
        (vec![("RETRY__INTERVALS", "[\"1s\", \"5s\"]")], 2),
    ] {
        let mut endpoints = [EndpointBuilder::new("orders".to_owned()).retry(Retry::immediate(1))];
        let named = variables.into_iter().map(|(name, value)| (format!("BUS__ENDPOINTS__ORDERS__{name}"), value));
        assert_eq!(
            apply(vec![Configuration::from_variables(named)], &mut Timeouts::default(), &mut endpoints),
            [""; 0]
        );
        assert_eq!(endpoints[0].retry.limit(), limit);
    }
}

#[test]
fn a_setting_knows_where_it_was_said() {
    let mut endpoints = [EndpointBuilder::new("orders".to_owned()).timeout(seconds(1)).prefetch(4)];
    let here = line!() - 1;
    let said = vec![
        Configuration::from_toml("[endpoints.orders]\nprefetch = 5"),
        Configuration::from_variables([("BUS__ENDPOINTS__ORDERS__CONCURRENCY", "6")]),
    ];
    assert_eq!(apply(said, &mut Timeouts::default(), &mut endpoints), [""; 0]);
    let [endpoint] = &endpoints;
    assert_eq!(endpoint.prefetch.source().unwrap().to_string(), "TOML:2:1");
    assert_eq!(endpoint.concurrency.source().unwrap().to_string(), "BUS__ENDPOINTS__ORDERS__CONCURRENCY");
    let timeout = endpoint.timeout.source().unwrap().to_string();
    assert!(timeout.contains(&format!("{}:{here}:", file!())), "{timeout}");
    assert_eq!(endpoint.retry.source(), None);
}

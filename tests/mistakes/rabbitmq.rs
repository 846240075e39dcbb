//! What RabbitMQ cannot do; nothing is asked of a broker.

use std::time::Duration;

use bus::rabbitmq::endpoint;
use expect_test::expect_file;

use super::{everywhere, pong, said};

fn impossible(builder: bus::Builder) -> bus::Builder {
    builder
        .endpoint_defaults(|e| e.consumer(super::wants).max_body(1))
        .endpoint("quorum", |e| {
            e.with(endpoint().quorum().max_priority(0).lazy().temporary().argument("x-overflow", "reject-publish-dlx"))
        })
        .endpoint("classic", |e| {
            e.with(endpoint().quorum_group_size(0).expires(Duration::ZERO).message_ttl(Duration::MAX))
        })
        .endpoint("arguments", |e| {
            e.with(
                endpoint()
                    .argument("x-queue-type", "stream")
                    .argument("x-max-length", -1)
                    .argument("x-single-active-consumer", "yes")
                    .argument("x-dead-letter-routing-key", "key")
                    .argument("", true),
            )
        })
        .endpoint("dead", |e| {
            e.with(endpoint().dead_letter_queue("dead", "a b").argument("x-dead-letter-exchange", "elsewhere"))
        })
        .endpoint("twice", |e| e.with(endpoint().quorum()).with(endpoint().lazy()))
        .endpoint("keys", |e| e.bind_key("exchange:prices?type=topic", "k".repeat(256)))
}

#[test]
fn all_mistakes_are_told_at_once_on_rabbitmq_too() {
    expect_file!["rabbitmq.txt"].assert_eq(&said(impossible(bus::builder("amqp://localhost"))));
    // What no transport is needed for is the same here.
    let there = said(everywhere(bus::builder("memory://mistakes")));
    let here = said(everywhere(bus::builder("amqp://localhost")));
    assert_eq!(here, there);
}

#[test]
fn a_url_that_is_wrong_hides_nothing_of_what_rabbitmq_cannot_do() {
    let right = said(impossible(bus::builder("amqp://localhost")));
    let wrong = said(impossible(bus::builder("amqp://u:secret@localhost/a/b?color=red")));
    assert!(!wrong.contains("secret"), "{wrong}");
    let (right, wrong): (Vec<_>, Vec<_>) = (right.lines().collect(), wrong.lines().collect());
    assert!(wrong[1].contains("`amqp://localhost/a/b?color=red`: the path is the virtual host"), "{}", wrong[1]);
    assert!(wrong[1].contains("; `color` is unknown here"), "{}", wrong[1]);
    assert_eq!(wrong[2..], right[1..]);
}

#[test]
fn an_option_of_another_transport_is_ignored() {
    bus::builder("memory://options")
        .endpoint("a", |e| e.consumer(pong).with(endpoint().quorum().lazy()))
        .build()
        .unwrap();
}

//! What the bus writes is what MassTransit wrote for the same act.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    acts::{Act, act},
    captures::directory,
    contracts::*,
    differences::DIFFERENCES,
    same::assert_same,
};

const WELL_KNOWN: Uuid = Uuid::from_u128(0xaaaaaaaa_bbbb_cccc_dddd_eeeeeeeeeeee);

#[tokio::test]
async fn a_follow_up_carries_the_conversation_on() {
    let act = act("02").await;
    act.publish::<SubmitOrder>(1).await;
    act.handle.pass_on(1, "orders").await;
    assert_same("02", &act.handle.sent(), &[1, 2]);
}

#[tokio::test]
async fn types_are_published_under_their_names_and_those_of_their_contracts() {
    let one = act("03").await;
    one.publish::<OrderSubmittedV2>(1).await;
    assert_same("03", &one.handle.sent(), &[1]);

    let one = act("04").await;
    one.publish::<OrderSubmitted>(1).await;
    assert_same("04", &one.handle.sent(), &[1]);

    let one = act("05").await;
    one.publish::<Inner>(1).await;
    one.publish::<Wrapped<Line>>(2).await;
    one.publish::<Pair<Line, Wrapped<Inner>>>(3).await;
    assert_same("05", &one.handle.sent(), &[1, 2, 3]);

    let one = act("06").await;
    one.publish::<RenamedEntity>(1).await;
    one.publish::<RenamedUrn>(2).await;
    one.publish::<ShortUrn>(3).await;
    one.publish::<OverHidden>(4).await;
    one.publish::<LeafEvent>(5).await;
    assert_same("06", &one.handle.sent(), &[1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_payload_of_every_kind_of_value_is_the_captured_one() {
    let act = act("07").await;
    act.publish::<AllTypes>(1).await;
    assert_same("07", &act.handle.sent(), &[1]);
}

#[tokio::test]
async fn a_message_is_sent_to_a_queue_and_to_an_exchange() {
    let act = act("08").await;
    act.bus.send("queue:orders", act.payload::<SubmitOrder>(1)).await.unwrap();
    act.handle.pass_on(1, "orders").await;
    act.bus.send("exchange:orders", act.payload::<SubmitOrder>(3)).await.unwrap();
    act.handle.pass_on(3, "orders").await;
    assert_same("08", &act.handle.sent(), &[1, 2, 3, 4]);
}

#[tokio::test]
async fn the_correlation_id_is_the_initiator_of_what_follows() {
    let act = act("09").await;
    act.publish::<Correlated>(1).await;
    act.publish::<WithCorrelationProperty>(2).await;
    act.handle.pass_on(1, "correlated").await;
    act.handle.pass_on(3, "orders").await;
    act.publish::<WithCommandId>(5).await;
    act.publish::<WithEventId>(6).await;
    assert_same("09", &act.handle.sent(), &[1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn options_and_headers_of_every_kind_are_those_of_the_capture() {
    let act = act("10").await;
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    act.bus
        .publish(act.payload::<SubmitOrder>(1))
        .time_to_live(Duration::from_millis(90_500))
        .priority(5)
        .transient()
        .routing_key("rk")
        .request_id(WELL_KNOWN)
        .correlation_id(WELL_KNOWN)
        .response_address("queue:my-responses")
        .fault_address("queue:my-faults")
        .header("Text", "v")
        .header("Int", 42)
        .header("Long", 4_200_000_000_i64)
        .header("Double", 1.5)
        .header("Decimal", "12.50")
        .header("Bool", true)
        .header("Guid", WELL_KNOWN)
        .header("Date", at(1_767_323_045))
        .header("Offset", at(1_767_315_845))
        .header("Uri", "https://x.example/")
        .header("Object", json!({"a": 1, "b": "two"}))
        .header("Array", json!([1, 2]))
        .await
        .unwrap();
    act.handle.pass_on(1, "orders").await;
    assert_same("10", &act.handle.sent(), &[1, 2]);
}

#[tokio::test]
async fn headers_that_are_false_empty_or_small_keep_their_types() {
    let act = act("31").await;
    act.bus
        .publish(act.payload::<SubmitOrder>(1))
        .time_to_live(Duration::from_millis(300))
        .header("No", false)
        .header("Empty", "")
        .header("Zero", 0)
        .header("Byte", 7_u8)
        .header("Short", 7_i16)
        .header("Float", 1.25_f32)
        .header("Unicode", "naïve 東京 🚀")
        .header("Null", Value::Null)
        .await
        .unwrap();
    assert_same("31", &act.handle.sent(), &[1]);
}

#[tokio::test]
async fn the_routing_key_goes_to_direct_and_topic_exchanges() {
    let direct = act("11").await;
    direct.bus.publish(direct.payload::<DirectRouted>(1)).routing_key("eu").await.unwrap();
    assert_same("11", &direct.handle.sent(), &[1]);
    let topic = act("36").await;
    topic.bus.publish(topic.payload::<TopicRouted>(1)).routing_key("eu.west").await.unwrap();
    assert_same("36", &topic.handle.sent(), &[1]);
}

/// Publishes what fails, and lets it fail.
async fn fails<M: bus_core::Message>(name: &str, queue: &str) -> Act {
    let act = act(name).await;
    act.publish::<M>(1).await;
    act.handle.pass_on(1, queue).await;
    act
}

#[tokio::test]
async fn a_failure_is_told_of_and_moved_with_the_headers_of_the_captures() {
    let faulted = fails::<Boom>("16", "boom").await;
    assert_same("16", &faulted.handle.sent(), &[1, 2, 3]);
    let retried = fails::<Flaky>("18", "flaky").await;
    assert_same("18", &retried.handle.sent(), &[1, 2, 3]);
    let interface = fails::<OrderSubmittedV2>("32", "m-poly").await;
    assert_same("32", &interface.handle.sent(), &[1, 2, 3]);
    let derived = fails::<LeafEvent>("33", "m-leaf").await;
    assert_same("33", &derived.handle.sent(), &[1, 2, 3]);
}

#[tokio::test]
async fn a_fault_goes_to_the_fault_address() {
    let act = act("17").await;
    act.bus.publish(act.payload::<Boom>(1)).fault_address("queue:my-faults").await.unwrap();
    act.handle.pass_on(1, "boom").await;
    assert_same("17", &act.handle.sent(), &[1, 2, 3]);
}

#[tokio::test]
async fn error_queues_of_every_kind_get_what_the_captures_show() {
    let act = act("35").await;
    act.publish::<Flaky>(1).await;
    act.handle.pass_on(1, "m-quorum").await;
    act.publish::<Reminder>(2).await;
    act.handle.pass_on(4, "m-expires").await;
    act.publish::<Unwanted>(4).await;
    act.handle.pass_on(7, "m-temporary").await;
    assert_same("35", &act.handle.sent(), &[1, 3, 7, 2, 5, 8, 4, 6, 9]);
}

#[tokio::test]
async fn what_nobody_consumes_is_moved_with_its_reason() {
    let act = act("19").await;
    act.bus.send("queue:orders", act.payload::<Unwanted>(1)).await.unwrap();
    act.handle.pass_on(1, "orders").await;
    assert_same("19", &act.handle.sent(), &[1, 2]);
}

#[tokio::test]
async fn a_body_that_is_no_envelope_is_told_of_and_moved() {
    let act = act("20").await;
    act.handle.replay(&act.captured[0], "orders").await;
    assert_same("20", &act.handle.sent(), &[2, 3]);
}

#[tokio::test]
async fn the_smallest_envelope_starts_a_conversation() {
    let act = act("21").await;
    act.handle.replay(&act.captured[0], "orders").await;
    assert_same("21", &act.handle.sent(), &[2]);
}

#[tokio::test]
async fn a_raw_message_has_its_envelope_in_the_headers() {
    let act = act("29").await;
    let message: OrderSubmittedV2 = serde_json::from_value(act.captured[0].json()).unwrap();
    act.bus.publish(message).raw_json().correlation_id(WELL_KNOWN).header("Tenant", "t-1").await.unwrap();
    assert_same("29", &act.handle.sent(), &[1]);
}

/// Captures that this file compares. 22 is a message of a foreign producer alone: see `decoding`.
const COMPARED: &str = "02 03 04 05 06 07 08 09 10 11 16 17 18 19 20 21 29 31 32 33 35 36";

#[test]
fn the_documentation_lists_every_difference_and_no_other() {
    for (message, ..) in DIFFERENCES {
        assert!(COMPARED.split(' ').any(|capture| message.starts_with(&format!("{capture}."))), "{message}");
    }
    let page = directory().join("../../../../docs/masstransit-differences.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: Vec<String> =
        DIFFERENCES.iter().map(|(message, member, reason)| format!("| {message} | `{member}` | {reason} |")).collect();
    let begin = page.lines().position(|line| line.starts_with("| captured message")).unwrap() + 2;
    let listed: Vec<&str> = page.lines().skip(begin).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(listed, rows, "left: the page, right: the table");
}

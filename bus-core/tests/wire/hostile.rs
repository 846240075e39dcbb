//! Bodies that somebody made to hurt: each is read or refused, with work that is linear in its size.

use bus_core::envelope::Envelope;
use bytes::Bytes;

use crate::{
    contracts::{Flaky, Reminder, SubmitOrder},
    mutations::arrived,
};

/// An envelope around a payload.
fn with_message(payload: &str) -> Bytes {
    format!(r#"{{"messageType":["urn:message:Shop.Contracts:Reminder"],"message":{payload}}}"#).into()
}

fn refused(body: &Bytes) -> String {
    Envelope::read(body).unwrap_err().to_string()
}

const TOO_DEEP: &str = "the body is nested deeper than 64 levels";

#[tokio::test]
async fn ten_megabytes_of_digits_are_no_number() {
    let digits = "7".repeat(10 << 20);
    let mut incoming = arrived().await;
    incoming.envelope = Envelope::read(&with_message(&format!(r#"{{"key":"k","failTimes":{digits}}}"#))).unwrap();
    let error = incoming.message_as::<Flaky>().unwrap_err().to_string();
    assert!(error.starts_with("the payload is no urn:message:Shop.Contracts:Flaky: "), "{error}");
    assert!(error.len() < 200, "{} bytes of error", error.len());
    // As members of the envelope they are absent.
    let body = format!(r#"{{"message":{{}},"messageId":{digits},"sentTime":{digits},"headers":{{"n":{digits}}}}}"#);
    let envelope = Envelope::read(&body.into()).unwrap();
    assert_eq!(envelope.unreadable(), ["messageId", "sentTime"]);
    assert!(envelope.headers().is_empty());
}

#[tokio::test]
async fn a_body_of_64_megabytes_is_read_without_a_copy() {
    let body = with_message(&format!(r#"{{"text":"{}"}}"#, "x".repeat(64 << 20)));
    let mut incoming = arrived().await;
    incoming.envelope = Envelope::read(&body).unwrap();
    assert!(body.as_ptr_range().contains(&incoming.envelope.message.as_ptr()));
    assert_eq!(incoming.message_as::<Reminder>().unwrap().text.len(), 64 << 20);
}

#[test]
fn nesting_without_end_is_refused_before_anything_is_built() {
    for levels in [65, 10_000, 1_000_000] {
        let (open, closed) = (r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert_eq!(refused(&with_message(&format!("{open}1{closed}"))), TOO_DEEP);
        assert_eq!(refused(&with_message(&format!("{{\"a\":{}", "[".repeat(levels)))), TOO_DEEP);
        let headers = format!(r#"{{"message":{{}},"headers":{{"a":{}{}}}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert_eq!(refused(&headers.into()), TOO_DEEP);
    }
}

#[tokio::test]
async fn a_million_members_are_ignored_or_counted_once() {
    let million = |member: &dyn Fn(usize) -> String| (0..1_000_000).map(member).collect::<Vec<_>>().join(",");
    let mut incoming = arrived().await;
    let unknown = million(&|at| format!(r#""m{at}":{at}"#));
    incoming.envelope = Envelope::read(&with_message(&format!(r#"{{{unknown},"text":"t"}}"#))).unwrap();
    assert_eq!(incoming.message_as::<Reminder>().unwrap().text, "t");

    let repeated = million(&|at| format!(r#""text":"{at}""#));
    incoming.envelope = Envelope::read(&with_message(&format!("{{{repeated}}}"))).unwrap();
    assert_eq!(incoming.message_as::<Reminder>().unwrap().text, "999999");

    let of_the_envelope = million(&|at| format!(r#""messageId":{at},"m{at}":0"#));
    let envelope = Envelope::read(&format!(r#"{{{of_the_envelope},"message":{{}}}}"#).into()).unwrap();
    assert_eq!(envelope.unreadable(), ["messageId"]);

    let headers = million(&|at| format!(r#""h{at}":{at}"#));
    let envelope = Envelope::read(&format!(r#"{{"message":{{}},"headers":{{{headers}}}}}"#).into()).unwrap();
    assert_eq!(envelope.headers().len(), 1_000_000);

    let types = million(&|at| format!(r#""urn:message:A:T{at}""#));
    let envelope = Envelope::read(&format!(r#"{{"message":{{}},"messageType":[{types}]}}"#).into()).unwrap();
    assert_eq!(envelope.message_type.len(), 1_000_000);
}

#[tokio::test]
async fn broken_text_is_refused_where_it_is_read() {
    let mut incoming = arrived().await;
    // Half a pair of surrogates is text for the envelope, and none for the message.
    incoming.envelope = Envelope::read(&with_message(r#"{"customer":"\ud800"}"#)).unwrap();
    let error = incoming.message_as::<SubmitOrder>().unwrap_err().to_string();
    assert!(error.contains("hex escape"), "{error}");
    for bytes in [&b"\xFF"[..], b"\xC3", b"\xED\xA0\x80", b"\xF8\x88\x80\x80\x80"] {
        let body = [br#"{"message":{"text":""#, bytes, br#""}}"#].concat();
        let error = refused(&body.into());
        assert!(error.starts_with("the body is no MassTransit envelope: "), "{error}");
    }
}

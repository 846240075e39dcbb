use std::sync::Arc;

use bus_core::consumer::{Context, Failure};
use bytes::Bytes;
use uuid::Uuid;

use crate::{
    Place,
    messages::{Rang, Said, Ticked, Tocked},
    probe::{Probe, watched},
    put::{of_type, put, to},
};

/// A message may say everything by being there.
pub async fn an_empty_message_arrives(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Rang)))).await;
    bus.publish(Rang {}).await.unwrap();
    let seen = probe.next().await;
    assert_eq!(seen.ctx.incoming().envelope.message.as_ref(), b"{}");
    bus.stop().await;
}

/// 1 MiB goes through, and every byte is the one that was sent.
pub async fn a_large_body_arrives_byte_for_byte(place: Place) {
    const SIZE: u32 = 1 << 20;
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Said)))).await;
    let said = Said { text: (0..SIZE).map(|at| char::from(b'a' + (at % 23) as u8)).collect() };
    bus.publish(said.clone()).await.unwrap();
    let seen = probe.next().await;
    assert!(seen.message == said, "{} bytes arrived otherwise", seen.message.text.len());
    bus.stop().await;
    // Bytes of all kinds, which are no JSON and no text.
    let body: Bytes = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let transport = place.transport().await;
    put(&*transport, to("work", body.clone())).await;
    let [letter] = &transport.browse("work", 2).await.unwrap()[..] else { panic!("one message") };
    assert!(letter.body == body, "{} bytes arrived otherwise", letter.body.len());
}

/// Text of every script arrives, in the payload, in the envelope's headers and in the transport's.
pub async fn unicode_headers_and_values_arrive(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Said)))).await;
    let texts = [
        "caf\u{E9} e\u{301} \u{DF}".to_owned(),
        "\u{1F680} \u{1F469}\u{200D}\u{1F680} \u{1F1EA}\u{1F1FA}".to_owned(),
        "\u{202B}\u{5E9}\u{5DC}\u{5D5}\u{5DD} \u{645}\u{631}\u{62D}\u{628}\u{627}\u{202C}".to_owned(),
        "\u{65E5}\u{672C}\u{8A9E} \"quoted\" \\ \t \u{7F} \u{FFFD}".to_owned(),
        // 4 KiB.
        "\u{6F22}x".repeat(1024),
    ];
    for text in texts {
        let sent = bus.publish(Said { text: text.clone() });
        sent.header("tenant", &*text).header("gr\u{F6}\u{DF}e", "\u{6F22}").await.unwrap();
        let Said { text: arrived } = {
            let seen = probe.next().await;
            let (own, native) = (seen.ctx.header("tenant"), &seen.ctx.incoming().transport_headers);
            assert_eq!(own.and_then(|value| value.as_str()), Some(&*text));
            assert_eq!(native.text("tenant"), Some(&*text));
            assert_eq!(native.text("gr\u{F6}\u{DF}e"), Some("\u{6F22}"));
            seen.message
        };
        assert_eq!(arrived, text);
    }
    bus.stop().await;
}

/// The ids that a sender gives arrive: in the envelope, and as properties of the transport, which is all that
/// a program without envelopes has.
pub async fn message_id_and_correlation_id_survive(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.raw_json().consumer(watched!(probe, Ticked)))).await;
    let (id, correlation) = (Uuid::now_v7(), Uuid::now_v7());
    bus.publish(Ticked { number: 1 }).message_id(id).correlation_id(correlation).await.unwrap();
    let ctx = probe.next().await.ctx;
    assert_eq!((ctx.message_id(), ctx.correlation_id()), (Some(id), Some(correlation)));
    let (id, correlation) = (Uuid::now_v7(), Uuid::now_v7());
    let mut foreign = of_type("application/json", "work", r#"{"number":2}"#);
    foreign.message_id = Some(Arc::from(id.to_string()));
    foreign.correlation_id = Some(Arc::from(correlation.to_string()));
    put(&*place.transport().await, foreign).await;
    let ctx = probe.next().await.ctx;
    assert_eq!((ctx.message_id(), ctx.correlation_id()), (Some(id), Some(correlation)));
    bus.stop().await;
}

/// A program that knows no envelope sends JSON of its own, and one with a bus handles it.
pub async fn raw_json_is_consumed_by_an_endpoint_that_says_so(place: Place) {
    let probe = Probe::open();
    let bus = place.started(|b| b.endpoint("work", |e| e.raw_json().consumer(watched!(probe, Ticked)))).await;
    let mut foreign = of_type("application/json", "work", r#"{ "number": 7, "unknown": [] }"#);
    foreign.headers.set("tenant", "north");
    put(&*place.transport().await, foreign).await;
    let seen = probe.next().await;
    assert_eq!(seen.message, Ticked { number: 7 });
    assert_eq!(seen.ctx.header("tenant").and_then(|value| value.as_str()), Some("north"));
    // As a bus sends it to such programs.
    let id = Uuid::now_v7();
    bus.send("queue:work", Ticked { number: 8 }).raw_json().message_id(id).await.unwrap();
    let seen = probe.next().await;
    assert_eq!((seen.message.number, seen.ctx.message_id()), (8, Some(id)));
    bus.stop().await;
}

/// What is sent while a message is handled belongs to the same conversation.
pub async fn what_a_handler_sends_carries_conversation_initiator_and_headers(place: Place) {
    let probe = Probe::open();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(async |Ticked { number }: Ticked, ctx: Context| -> Result<(), Failure> {
                    ctx.send("queue:next", Tocked { number }).header("step", "second").await?;
                    Ok(())
                })
            })
            .endpoint("next", |e| e.consumer(watched!(probe, Tocked)))
        })
        .await;
    let (conversation, correlation) = (Uuid::now_v7(), Uuid::now_v7());
    let sent = bus.publish(Ticked { number: 1 }).conversation_id(conversation).correlation_id(correlation);
    sent.header("tenant", "north").await.unwrap();
    let ctx = probe.next().await.ctx;
    assert_eq!(ctx.conversation_id(), Some(conversation));
    assert_eq!(ctx.incoming().envelope.initiator_id, Some(correlation));
    for (name, value) in [("tenant", "north"), ("step", "second")] {
        assert_eq!(ctx.header(name).and_then(|header| header.as_str()), Some(value));
        assert_eq!(ctx.incoming().transport_headers.text(name), Some(value));
    }
    bus.stop().await;
}

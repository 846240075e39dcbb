//! What happens to those who wait for an answer.

use std::{sync::Arc, time::Duration};

use bus_core::{bus::EndpointBuilder, consumer::Failure};
use futures_util::future::join_all;
use lapin::{
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::sync::watch;

use crate::{
    health::Watch,
    load::{KINDS, Numbered, builder, of_kind},
    memory::reset_peak,
    stage::Stage,
    table::Row,
    tally::Tally,
};

/// The requester's own queue.
const REPLIES: &str = "requester";

/// A fault that reaches nobody is no failure: the message goes to `_error` once, and its neighbours go on.
pub(crate) async fn they_are_gone_when_their_messages_fail(stage: &mut Stage) -> Vec<Row> {
    const MESSAGES: u32 = 50;
    /// Fail while the requester is there.
    const EARLY: u32 = 10;
    const OTHERS: u32 = 50;
    let mut rows = Vec::new();
    for kind in KINDS {
        let place = stage.place();
        reset_peak();
        let (failed, done) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
        let (leave, gone) = watch::channel(false);
        let (fails, ends) = (failed.clone(), done.clone());
        let handle = move |message: Numbered| {
            let (fails, ends, mut gone) = (fails.clone(), ends.clone(), gone.clone());
            async move {
                if message.number >= MESSAGES {
                    ends.note(message.number);
                    return Ok(());
                }
                fails.note(message.number);
                if message.number >= EARLY {
                    let _ = gone.wait_for(|gone| *gone).await;
                }
                Err::<(), _>(Failure::permanent("it always fails"))
            }
        };
        let configured = |e: EndpointBuilder| of_kind(e.consumer(handle).prefetch(100), kind);
        let bus = builder(&place.url()).endpoint("q", configured).build().unwrap();
        bus.start().await.unwrap();
        let health = Watch::of(&bus);
        let requester = place.connection().await;
        let channel = requester.create_channel().await.unwrap();
        let exclusive = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(REPLIES.into(), exclusive, FieldTable::default()).await.unwrap();
        // As MassTransit writes the address of such a queue, and as a caller may write it.
        let absolute = format!("rabbitmq://127.0.0.1/{}/{REPLIES}?temporary=true", place.name());
        let sends = (0..MESSAGES).map(|number| {
            let sent = bus.send("queue:q", Numbered { number });
            match number % 3 {
                0 => sent.response_address(&*absolute),
                1 => sent.fault_address(&*absolute),
                _ => sent.response_address(&*format!("queue:{REPLIES}")),
            }
            .into_future()
        });
        for sent in join_all(sends).await {
            sent.unwrap();
        }
        failed.until(MESSAGES as usize).await;
        let early = place.until_ready("q_error", EARLY).await;
        let mut told = 0;
        while channel.basic_get(REPLIES.into(), BasicGetOptions { no_ack: true }).await.unwrap().is_some() {
            told += 1;
        }
        requester.close(200, "OK".into()).await.unwrap();
        leave.send(true).unwrap();
        let others = (MESSAGES..MESSAGES + OTHERS).map(|number| bus.send("queue:q", Numbered { number }).into_future());
        for sent in join_all(others).await {
            sent.unwrap();
        }
        let others = tokio::time::timeout(Duration::from_secs(20), done.until(OTHERS as usize)).await;
        let aside = place.until_ready("q_error", MESSAGES).await;
        let well = health.well(Duration::from_secs(1)).await;
        let history = health.history();
        bus.stop().await;
        let left = place.ready("q").await;
        let exists = |what: &str| place.get(&format!("{what}/{}/{REPLIES}", place.name())).is_some();
        let mut row = failed.row("requester killed before its faults", kind, MESSAGES as usize);
        row.received = aside as usize;
        row.lost = MESSAGES.saturating_sub(aside) as usize;
        row.expect((early, told) == (EARLY, EARLY), format!("{early} failed early, and {told} faults came"));
        row.expect(aside == MESSAGES, format!("{aside} are in `_error`"));
        row.expect(row.duplicated == 0, "some were handled twice: a hot loop");
        row.expect(others.is_ok(), format!("{} of {OTHERS} others were handled", done.distinct()));
        row.expect(left == Some(0), format!("{left:?} are left in the queue"));
        row.expect(well.is_ok() && history.lines().count() == 1, format!("health said:\n{history}"));
        row.expect(!exists("queues") && !exists("exchanges"), "something of the requester's name was made again");
        rows.push(row);
    }
    rows
}

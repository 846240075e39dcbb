use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bus_core::{
    Error,
    consumer::{Context, Failure},
};
use uuid::Uuid;

use crate::{
    Place, lying,
    messages::{Ticked, Tocked},
    probe::Probe,
    put::{put, to},
};

/// What lies in `_error` is the message: with its headers and id, and sent back it is handled.
pub async fn a_moved_message_keeps_headers_and_id_and_can_be_sent_back_and_handled(place: Place) {
    let probe = Probe::open();
    let (watched, mended) = (probe.clone(), Arc::new(AtomicBool::new(false)));
    let works = mended.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(move |message: Ticked, ctx: Context| {
                    let (watched, works) = (watched.clone(), works.load(Ordering::SeqCst));
                    async move { if works { watched.handle(message, ctx).await } else { Err("out of order".into()) } }
                })
            })
        })
        .await;
    let id = Uuid::now_v7();
    bus.publish(Ticked { number: 5 }).message_id(id).header("tenant", "north").await.unwrap();
    let transport = place.transport().await;
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.headers.text("tenant"), Some("north"));
    assert_eq!(letter.message_id.as_deref(), Some(&*id.to_string()));
    mended.store(true, Ordering::SeqCst);
    let mut again = to("work", letter.body.clone());
    again.message_id = letter.message_id.as_deref().map(Arc::from);
    again.headers = letter.headers.clone();
    put(&*transport, again).await;
    let seen = probe.next().await;
    assert_eq!((seen.message.number, seen.ctx.message_id()), (5, Some(id)));
    assert_eq!(seen.ctx.incoming().transport_headers.text("tenant"), Some("north"));
    bus.stop().await;
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

/// A program can ask what its endpoint could not handle, and why.
pub async fn dead_letters_are_listed_with_their_reason(place: Place) {
    let bus = place
        .started(|b| b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into()))))
        .await;
    assert_eq!(bus.dead_letters("work").list().await.unwrap().len(), 0);
    bus.publish(Ticked { number: 1 }).await.unwrap();
    bus.send("queue:work", Tocked { number: 2 }).await.unwrap();
    let transport = place.transport().await;
    lying(&*transport, "work_error", 1).await;
    lying(&*transport, "work_skipped", 1).await;
    let letters = bus.dead_letters("work").list().await.unwrap();
    let told: Vec<_> = letters.iter().map(|letter| (&*letter.queue, letter.reason(), letter.fault_message())).collect();
    let (failed, skipped) = ((Some("fault"), Some("no such tick")), (Some("dead-letter"), None));
    assert_eq!(told, [("work_error", failed.0, failed.1), ("work_skipped", skipped.0, skipped.1)]);
    bus.stop().await;
    assert!(matches!(bus.dead_letters("work").list().await, Err(Error::NotStarted)));
}

use bus_core::{
    Retry,
    consumer::{Context, Failure},
};
use uuid::Uuid;

use crate::{
    Place,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
};

/// What is sent with an outbox leaves when its handler is done; of an attempt that failed nothing ever does.
pub async fn what_a_failed_attempt_sent_never_leaves_an_outbox(place: Place) {
    let probe = Probe::open();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.outbox().retry(Retry::immediate(1)).consumer(async |_: Ticked, ctx: Context| {
                    for number in [10, 20] {
                        ctx.publish(Tocked { number: number + ctx.attempt() }).await?;
                    }
                    if ctx.attempt() == 0 { Err(Failure::from("after it has sent")) } else { Ok(()) }
                })
            })
            .endpoint("watch", |e| e.consumer(watched!(probe, Tocked)).concurrency(1))
        })
        .await;
    bus.publish(Ticked { number: 1 }).await.unwrap();
    let mut numbers: Vec<_> = probe.take(2).await.into_iter().map(|tocked| tocked.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [11, 21]);
    bus.stop().await;
    assert_eq!(probe.left().await, 0);
    let transport = place.transport().await;
    for queue in ["work", "work_error", "watch"] {
        assert_eq!(transport.browse(queue, 10).await.unwrap().len(), 0, "{queue}");
    }
}

/// A message that its sender repeats, because it did not hear that it arrived, is completed and not handled again.
pub async fn an_endpoint_with_an_outbox_handles_a_message_id_once(place: Place) {
    let (probe, sent) = (Probe::open(), Probe::open());
    let watched = probe.clone();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.outbox().concurrency(1).consumer(move |message: Ticked, ctx: Context| {
                    let watched = watched.clone();
                    async move {
                        ctx.publish(Tocked { number: message.number }).await?;
                        watched.handle(message, ctx).await
                    }
                })
            })
            .endpoint("watch", |e| e.consumer(watched!(sent, Tocked)))
        })
        .await;
    let id = Uuid::now_v7();
    for _ in 0..3 {
        bus.publish(Ticked { number: 1 }).message_id(id).await.unwrap();
    }
    assert_eq!(probe.next().await.ctx.message_id(), Some(id));
    assert_eq!(sent.next().await.message, Tocked { number: 1 });
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 2 });
    assert_eq!(sent.next().await.message, Tocked { number: 2 });
    bus.stop().await;
    assert_eq!((probe.left().await, sent.left().await), (0, 0));
}

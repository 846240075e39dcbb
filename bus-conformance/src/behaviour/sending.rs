use std::time::Duration;

use bus_core::{
    Error,
    consumer::{Context, Failure},
};

use crate::{
    Place,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
};

/// A publish that has resolved is in the broker's hands: it can be found there at once.
pub async fn publish_resolves_when_the_broker_has_the_message(place: Place) {
    let probe = Probe::open();
    let owner = place.started(|b| b.endpoint("inbox", |e| e.consumer(watched!(probe, Ticked)))).await;
    owner.stop().await;
    let bus = place.started(|b| b).await;
    let transport = place.transport().await;
    for number in 1..=5 {
        bus.publish(Ticked { number }).await.unwrap();
        let lying = transport.browse("inbox", 100).await.unwrap();
        assert_eq!(lying.len(), usize::try_from(number).unwrap());
    }
    bus.stop().await;
}

/// Nobody owns the queue: the sender is told, with everything that identifies the message.
pub async fn a_send_to_no_queue_is_unroutable(place: Place) {
    let bus = place.started(|b| b).await;
    let id = uuid::Uuid::now_v7();
    let error = bus.send("queue:nobody", Ticked { number: 1 }).message_id(id).await.unwrap_err();
    let Error::Unroutable { message } = &error else { panic!("{error:?}") };
    assert_eq!((message.message_id, &*message.message_type), (id, "urn:message:Bus.Conformance:Ticked"));
    assert!(message.address.contains("nobody"), "{error}");
    // An event that nobody subscribes to is no error.
    bus.publish(Ticked { number: 2 }).timeout(Duration::from_secs(20)).await.unwrap();
    bus.stop().await;
}

/// A handler that succeeds but whose message reaches no queue has not done its work: it fails.
pub async fn what_a_handler_sent_is_confirmed_before_its_message_is_acknowledged(place: Place) {
    let probe = Probe::open();
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| {
                e.consumer(async |message: Ticked, ctx: Context| -> Result<(), Failure> {
                    // Handed over, and no failure of this call: the confirm comes later.
                    ctx.send("queue:nobody", Tocked { number: message.number }).await?;
                    Ok(())
                })
            })
            .endpoint("watch", |e| e.consumer(watched!(probe, bus_core::fault::Fault<Ticked>)))
        })
        .await;
    bus.publish(Ticked { number: 3 }).await.unwrap();
    let fault = probe.next().await.message;
    let said = fault.exceptions[0].message.as_deref().unwrap_or_default();
    assert!(said.contains("urn:message:Bus.Conformance:Tocked") && said.contains("reaches no queue"), "{said}");
    bus.stop().await;
}

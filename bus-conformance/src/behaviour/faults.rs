use bus_core::{Outbound, consumer::Failure, fault::Fault};
use uuid::Uuid;

use crate::{
    Place, lying,
    messages::{Ticked, Tocked},
    probe::{Probe, watched},
    soon,
};

/// When a consumer gives up on a `Ticked`, consumers of `Fault<Ticked>` are told.
pub async fn a_fault_is_published(place: Place) {
    let probe = Probe::<Tocked>::open();
    let (faults, mut told) = tokio::sync::mpsc::unbounded_channel();
    let bus =
        place
            .started(|b| {
                b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into())))
                    .endpoint("watch", |e| {
                        e.consumer(watched!(probe, Tocked)).consumer(move |fault: Fault<Ticked>| {
                            let faults = faults.clone();
                            async move { faults.send(fault).map_err(Failure::from) }
                        })
                    })
            })
            .await;
    let id = Uuid::now_v7();
    bus.publish(Ticked { number: 5 }).message_id(id).await.unwrap();
    let fault = soon("the fault", told.recv()).await.unwrap();
    assert_eq!(fault.message, Ticked { number: 5 });
    assert_eq!(fault.faulted_message_id, Some(id));
    assert_eq!(fault.exceptions[0].message.as_deref(), Some("no such tick"));
    assert_eq!(fault.fault_message_types.unwrap(), ["urn:message:Bus.Conformance:Ticked"]);
    bus.stop().await;
}

/// Whoever wants to hear of a failure alone says so with the message.
pub async fn a_fault_goes_to_the_fault_address_and_is_not_published(place: Place) {
    tells_alone(place, |ticked| ticked.fault_address("queue:told").response_address("queue:replies")).await;
}

/// A requester hears of the failure in place of the reply.
pub async fn a_fault_goes_to_the_response_address_if_there_is_no_fault_address(place: Place) {
    tells_alone(place, |ticked| ticked.response_address("queue:told")).await;
}

/// The fault of a message that is addressed so goes to the queue `told` alone.
async fn tells_alone(place: Place, addressed: impl Fn(Outbound<'_, Ticked>) -> Outbound<'_, Ticked>) {
    let (told, everybody) = (Probe::open(), Probe::open());
    let bus = place
        .started(|b| {
            b.endpoint("work", |e| e.consumer(async |_: Ticked| Err::<(), Failure>("no such tick".into())))
                .endpoint("told", |e| e.consumer(watched!(told, Fault<Ticked>)).without_subscriptions())
                .endpoint("everybody", |e| e.consumer(watched!(everybody, Fault<Ticked>)))
        })
        .await;
    let id = Uuid::now_v7();
    addressed(bus.publish(Ticked { number: 1 }).message_id(id)).await.unwrap();
    let fault = told.next().await.message;
    assert_eq!((fault.message.number, fault.faulted_message_id), (1, Some(id)));
    // The first fault that everybody hears of is the next one.
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(everybody.next().await.message.message.number, 2);
    lying(&*place.transport().await, "work_error", 2).await;
    bus.stop().await;
    assert_eq!((told.left().await, everybody.left().await), (0, 0));
}

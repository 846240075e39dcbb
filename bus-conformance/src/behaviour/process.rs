use std::collections::BTreeSet;

use bus_core::{Builder, consumer::Context};

use crate::{
    Place, lying,
    messages::Ticked,
    probe::{Handled, Probe},
};

/// Number 0 ends every process that begins it. After the fifth one it lies in `_error`, and says so; what was at
/// work beside it is handled.
///
/// A process is a bus that is dropped without a stop.
pub async fn a_message_that_ends_its_process_is_found_out(place: Place) {
    const KILLER: u32 = 0;
    // A log has lanes only, and what has a lane is never copied.
    if !place.capabilities().individual_settlement {
        return;
    }
    let (killing, beside, handled) = (Probe::closed(), Probe::closed(), Probe::open());
    let first = |b: Builder| b.endpoint("work", |e| e.consumer(choice(KILLER, &killing, &beside)));
    let further = |b: Builder| b.endpoint("work", |e| e.consumer(choice(KILLER, &killing, &handled)));
    let process = place.started(first).await;
    for number in [1, KILLER, 2] {
        process.publish(Ticked { number }).await.unwrap();
    }
    killing.next().await;
    beside.take(2).await;
    drop(process);
    for _ in 0..4 {
        let process = place.started(further).await;
        killing.next().await;
        drop(process);
    }
    let process = place.started(further).await;
    let transport = place.transport().await;
    let [letter] = &lying(&*transport, "work_error", 1).await[..] else { panic!("one message") };
    assert_eq!(letter.reason(), Some("fault"));
    let said = letter.fault_message().unwrap_or_default();
    assert!(said.starts_with("it ended the process: ") && said.contains("5 times"), "{said}");
    let mut missing = BTreeSet::from([1, 2]);
    while !missing.is_empty() {
        // One whose completion was lost with its process comes again.
        missing.remove(&handled.next().await.message.number);
    }
    process.stop().await;
    assert_eq!(killing.left().await, 0);
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

/// A handler that gives one number to one probe and all others to another.
fn choice(
    number: u32,
    its: &Probe<Ticked>,
    others: &Probe<Ticked>,
) -> impl Fn(Ticked, Context) -> Handled + Send + Sync + use<> {
    let (its, others) = (its.handler(), others.handler());
    move |message, ctx| if message.number == number { its(message, ctx) } else { others(message, ctx) }
}

use std::time::Duration;

use bus_core::transport::{ReceiverSettings, SettleOutcome, Settlement};

use crate::{
    Place,
    messages::Ticked,
    probe::{Probe, watched},
    put::{put, to},
    take::take,
};

/// Where deliveries have leases: one that nobody renews ends, the message is somebody else's, and whoever had it
/// before can do nothing to it.
pub async fn a_lease_that_is_over_gives_the_message_to_somebody_else_and_cannot_be_settled(place: Place) {
    let Some(lease) = place.lease(Duration::from_millis(200)) else { return };
    let probe = Probe::open();
    place.started(|b| b.endpoint("work", |e| lease(e).consumer(watched!(probe, Ticked)))).await.stop().await;
    let transport = place.transport().await;
    let receive = || transport.receive(ReceiverSettings::new("work".into(), 1));
    let mut slow = receive().await.unwrap();
    put(&*transport, to("work", "1")).await;
    let late = take(&mut *slow).await;
    assert!(late.lease.is_some());
    slow.pause();
    let mut other = receive().await.unwrap();
    loop {
        let delivery = take(&mut *other).await;
        assert!(delivery.redelivered && delivery.body == "1", "{delivery:?}");
        // On a machine that is so slow this one may be late as well.
        match delivery.unsettled.settle(Settlement::Complete).await {
            SettleOutcome::LeaseLost => {}
            outcome => break assert_eq!(outcome, SettleOutcome::Settled),
        }
    }
    assert_eq!(late.unsettled.renew().await, None);
    assert_eq!(late.unsettled.settle(Settlement::Release).await, SettleOutcome::LeaseLost);
    assert_eq!(transport.browse("work", 10).await.unwrap().len(), 0);
}

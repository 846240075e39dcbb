use bus_core::{Builder, Error, clock::Clock};

use crate::{
    Place,
    messages::Ticked,
    probe::{Probe, watched},
    soon,
};

/// A bus that was stopped starts again and goes on where it was.
pub async fn a_bus_may_be_started_and_stopped_twice(place: Place) {
    let probe = Probe::open();
    let bus = place.bus(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked))));
    for number in 1..=2 {
        bus.start().await.unwrap();
        // On a bus that is started it does nothing.
        bus.start().await.unwrap();
        bus.publish(Ticked { number }).await.unwrap();
        assert_eq!(probe.next().await.message, Ticked { number });
        bus.stop().await;
    }
    assert_eq!(probe.left().await, 0);
}

/// What cannot leave is refused at once, and does not leave later.
pub async fn publishing_before_the_start_and_after_the_stop_is_refused(place: Place) {
    let probe = Probe::open();
    let work = |b: Builder| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked)).concurrency(1));
    let bus = place.bus(work);
    assert!(matches!(bus.publish(Ticked { number: 1 }).await, Err(Error::NotStarted)));
    bus.start().await.unwrap();
    bus.publish(Ticked { number: 2 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 2 });
    bus.stop().await;
    assert!(matches!(bus.publish(Ticked { number: 3 }).await, Err(Error::NotStarted)));
    assert!(matches!(bus.send("queue:work", Ticked { number: 4 }).await, Err(Error::NotStarted)));
    let other = place.started(work).await;
    other.send("queue:work", Ticked { number: 5 }).await.unwrap();
    assert_eq!(probe.next().await.message, Ticked { number: 5 });
    other.stop().await;
    assert_eq!(probe.left().await, 0);
}

/// Health says whether the bus receives, and the transport under it whether it can send.
pub async fn health_tells_receiving_from_not_started(place: Place) {
    let probe = Probe::open();
    let bus = place.bus(|b| b.endpoint("work", |e| e.consumer(watched!(probe, Ticked))));
    let off = |health: bus_core::bus::Health| {
        assert!(!health.healthy && health.connection.is_some(), "{health:?}");
        assert_eq!(health.endpoints[0].problem.as_deref(), Some("not started"));
    };
    off(bus.health());
    bus.start().await.unwrap();
    let health = bus.health();
    assert!(health.healthy && health.connection.is_none(), "{health:?}");
    assert_eq!((&*health.endpoints[0].name, &health.endpoints[0].problem), ("work", &None));
    bus.stop().await;
    off(bus.health());

    let transport = place.open();
    transport.health().expect_err("it is not connected yet");
    let deadline = Clock::real().after(std::time::Duration::from_secs(30));
    soon("the connection", transport.connect(deadline)).await.unwrap();
    transport.health().unwrap();
    transport.close(deadline).await;
    transport.health().expect_err("it is closed");
}

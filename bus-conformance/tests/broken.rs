//! The suite finds broken transports: a driver around memory that breaks one promise fails the behaviours
//! that are about it, and every behaviour fails on some of them. Without a flaw all of them pass.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bus_conformance::{
    Fixture, Place,
    faulty::{Flaw, faulty, flawed},
    with_patience,
};
use bus_core::{clock::Clock, transport::Driver};

struct Memory(&'static dyn Driver);

impl Fixture for Memory {
    fn driver(&self) -> &'static dyn Driver {
        self.0
    }

    async fn url(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("memory://broken-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }
}

/// A driver that only watches must not be what makes a behaviour fail.
mod without_a_flaw {
    use super::{Memory, faulty};

    bus_conformance::conformance!(Memory(faulty(&bus_inmemory::DRIVER).0));
}

/// What a behaviour waits for something that may never come.
const PATIENCE: Duration = Duration::from_millis(500);
/// What it has in all: a stop waits for handlers that nobody lets through.
const ALL: Duration = Duration::from_secs(3);

/// The names of the behaviours that fail on a flaw. In tasks of this thread, so that libtest keeps what
/// their panics print.
macro_rules! failing {
    ($flaw:expr; $($behaviour:ident)*) => {{
        let mut running = Vec::new();
        $(
            let fixture = Memory(flawed(&bus_inmemory::DRIVER, $flaw));
            let work = async move { bus_conformance::$behaviour(Place::new(&fixture).await).await };
            running.push((stringify!($behaviour), tokio::spawn(bounded(work))));
        )*
        let mut failed = BTreeSet::new();
        for (name, behaviour) in running {
            if behaviour.await.is_err() {
                failed.insert(name);
            }
        }
        failed
    }};
}

async fn bounded(work: impl Future<Output = ()>) {
    let clock = Clock::real();
    clock.by(clock.after(ALL), with_patience(PATIENCE, work)).await.expect("the behaviour ends");
}

async fn on(flaw: Flaw) -> BTreeSet<&'static str> {
    bus_conformance::behaviours! { failing! { flaw; } }
}

/// The behaviours that are there to find a flaw.
fn guards(flaw: Flaw) -> &'static [&'static str] {
    match flaw {
        Flaw::Drops => &[
            "publish_reaches_every_subscriber",
            "a_wire_tap_sees_what_is_sent_to_the_exchange",
            "competing_consumers_share_a_queue",
            "several_message_types_live_on_one_endpoint",
            "a_panic_is_a_failure_and_the_next_message_is_handled",
            "a_fault_is_published",
        ],
        Flaw::Duplicates => &["publish_reaches_every_subscriber", "competing_consumers_share_a_queue"],
        Flaw::LosesHeaders => &[
            "a_failing_message_ends_in_error_with_reason_body_and_headers",
            "retries_come_before_error",
            "a_body_that_is_no_envelope_ends_in_error",
            "a_type_without_consumer_ends_in_skipped",
        ],
        Flaw::HidesUnroutable => {
            &["a_send_to_no_queue_is_unroutable", "what_a_handler_sent_is_confirmed_before_its_message_is_acknowledged"]
        }
        Flaw::ConfirmsEarly => &["publish_resolves_when_the_broker_has_the_message"],
        Flaw::Broadcasts => &["a_send_reaches_its_queue_only"],
        Flaw::IgnoresPrefetch => &["prefetch_bounds_what_an_endpoint_holds"],
        Flaw::AcksEarly | Flaw::LosesReleased => &[
            "a_message_is_acknowledged_after_its_handler_and_comes_back_if_it_was_dropped",
            "stop_finishes_what_runs_and_returns_the_rest",
        ],
        Flaw::AcksAll => &["acknowledging_a_message_leaves_the_others_alone"],
        Flaw::HidesRedelivery => &["a_message_is_acknowledged_after_its_handler_and_comes_back_if_it_was_dropped"],
    }
}

macro_rules! flaws {
    ($($test:ident: $flaw:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let failed = on(Flaw::$flaw).await;
                for guard in guards(Flaw::$flaw) {
                    assert!(failed.contains(guard), "{guard} passes on {:?}; failed: {failed:#?}", Flaw::$flaw);
                }
            }
        )*

        #[test]
        fn every_flaw_is_tried() {
            assert_eq!([$(Flaw::$flaw),*], Flaw::ALL);
        }
    };
}

flaws! {
    a_transport_that_drops_messages_is_found_out: Drops,
    a_transport_that_duplicates_messages_is_found_out: Duplicates,
    a_transport_that_loses_headers_is_found_out: LosesHeaders,
    a_transport_that_hides_that_a_message_reached_nobody_is_found_out: HidesUnroutable,
    a_transport_that_confirms_early_is_found_out: ConfirmsEarly,
    a_transport_that_sends_to_everybody_is_found_out: Broadcasts,
    a_transport_that_ignores_the_prefetch_is_found_out: IgnoresPrefetch,
    a_transport_that_acknowledges_early_is_found_out: AcksEarly,
    a_transport_that_acknowledges_too_much_is_found_out: AcksAll,
    a_transport_that_loses_what_is_released_is_found_out: LosesReleased,
    a_transport_that_hides_redelivery_is_found_out: HidesRedelivery,
}

macro_rules! names {
    ($($behaviour:ident)*) => { [$(stringify!($behaviour)),*] };
}

/// Together with the tests above: there is no behaviour that nothing could make fail.
#[test]
fn every_behaviour_guards_against_some_flaw() {
    let guarding: BTreeSet<_> = Flaw::ALL.into_iter().flat_map(guards).copied().collect();
    assert_eq!(guarding, BTreeSet::from(bus_conformance::behaviours! { names! {} }));
}

//! The suite finds broken transports: a driver around memory that breaks one promise fails the behaviours
//! that are about it, and every behaviour fails on some of them. Without a flaw all of them pass.

mod guards;
mod running;

use std::collections::BTreeSet;

use bus_conformance::faulty::{Flaw, faulty};
use guards::guards;
use running::{Memory, passing};

/// A driver that only watches must not be what makes a behaviour fail.
mod without_a_flaw {
    use super::{Memory, faulty};

    bus_conformance::conformance!(Memory(faulty(&bus_inmemory::DRIVER).0));
}

macro_rules! flaws {
    ($($test:ident: $flaw:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                let passing = passing(Flaw::$flaw, guards(Flaw::$flaw)).await;
                assert!(passing.is_empty(), "these do not find out {:?}: {passing:#?}", Flaw::$flaw);
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
    a_transport_that_swallows_large_bodies_is_found_out: SwallowsLarge,
    a_transport_that_knows_ascii_only_is_found_out: Mangles,
    a_transport_that_loses_headers_is_found_out: LosesHeaders,
    a_transport_that_loses_ids_is_found_out: LosesIds,
    a_transport_that_loses_the_media_type_is_found_out: LosesContentType,
    a_transport_that_ignores_the_time_to_live_is_found_out: IgnoresTimeToLive,
    a_transport_that_ignores_delays_is_found_out: IgnoresDelays,
    a_transport_that_ignores_lanes_is_found_out: IgnoresLanes,
    a_transport_that_loses_what_it_alone_knows_is_found_out: LosesExtensions,
    a_transport_that_hides_that_a_message_reached_nobody_is_found_out: HidesUnroutable,
    a_transport_that_confirms_early_is_found_out: ConfirmsEarly,
    a_transport_that_sends_to_everybody_is_found_out: Broadcasts,
    a_transport_that_ignores_what_a_topic_needs_is_found_out: IgnoresAnnouncements,
    a_transport_that_ignores_routing_keys_is_found_out: IgnoresRoutingKeys,
    a_transport_that_ignores_the_prefetch_is_found_out: IgnoresPrefetch,
    a_transport_that_reorders_messages_is_found_out: Reorders,
    a_transport_that_skips_what_waited_is_found_out: SkipsBacklog,
    a_transport_whose_queues_stick_together_is_found_out: SticksTogether,
    a_transport_that_acknowledges_early_is_found_out: AcksEarly,
    a_transport_that_acknowledges_two_for_one_is_found_out: AcksTwo,
    a_transport_that_acknowledges_too_much_is_found_out: AcksAll,
    a_transport_that_keeps_what_is_completed_is_found_out: KeepsCompleted,
    a_transport_that_hides_that_a_lease_is_over_is_found_out: HidesLostLeases,
    a_transport_that_loses_what_is_released_is_found_out: LosesReleased,
    a_transport_that_hides_redelivery_is_found_out: HidesRedelivery,
    a_transport_that_hides_its_trouble_is_found_out: HidesTrouble,
    a_transport_that_closes_late_is_found_out: ClosesLate,
    a_transport_that_closes_for_good_is_found_out: ClosesForGood,
}

macro_rules! names {
    ($($behaviour:ident)*) => { [$(stringify!($behaviour)),*] };
}

/// Together with the tests above: there is no behaviour that nothing could make fail.
#[test]
fn every_behaviour_guards_against_some_flaw() {
    let guarding: BTreeSet<_> = Flaw::ALL.iter().flat_map(|flaw| guards(*flaw)).copied().collect();
    assert_eq!(guarding, BTreeSet::from(bus_conformance::behaviours! { names! {} }));
}

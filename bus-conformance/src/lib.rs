//! The behaviours that every transport of the bus must show, each a function with a sentence for a name.
//!
//! A transport's crate (also a third party's) writes a [`Fixture`] in an integration test and calls the macro
//! [`conformance!`](crate::conformance), which makes one test of each behaviour. The broker in memory does it so:
//!
//! ```
//! // tests/conformance.rs
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use bus_core::transport::Driver;
//!
//! struct Memory;
//!
//! impl bus_conformance::Fixture for Memory {
//!     fn driver(&self) -> &'static dyn Driver {
//!         &bus_inmemory::DRIVER
//!     }
//!
//!     async fn url(&self) -> String {
//!         static NUMBER: AtomicU32 = AtomicU32::new(0);
//!         format!("memory://conformance-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
//!     }
//!
//!     fn lanes(&self) -> Option<bus_conformance::Configure> {
//!         Some(Box::new(|endpoint| endpoint.with(bus_inmemory::endpoint().lanes())))
//!     }
//! }
//!
//! bus_conformance::conformance!(Memory);
//! ```
//!
//! The crate needs `tokio` with the features `macros` and `rt-multi-thread` among its `dev-dependencies`.
//!
//! # Writing a fixture
//!
//! - Each call of [`Fixture::url`] gives a **place of its own**: a virtual host, a namespace, a broker. All
//!   behaviours use the same few names for queues and topics, and they run at the same time.
//! - A fixture is made for each test, and kept until its behaviour is over. What the place costs (a virtual host,
//!   a process) belongs to the fixture, whose `Drop` gives it back.
//! - What cannot be reached is a **failure that says what to do** (start this server, set that variable), never a
//!   test that passes without having tried.
//! - [`Fixture::endpoint`] configures every endpoint of the suite. It is how one transport runs the suite several
//!   times, each in a module of its own, for each kind of queue: `endpoint.with(my_transport::sessions())`. What a
//!   behaviour says of its endpoint outweighs it.
//! - Where queues have lanes or deliveries have leases, [`Fixture::lanes`] and [`Fixture::lease`] say how an endpoint
//!   gets them.
//!
//! # What the capability record decides
//!
//! [`Transport::capabilities`](bus_core::transport::Transport::capabilities) says what a broker can do. A behaviour
//! that stands on one of these passes at once where the transport denies it, and is no promise there:
//!
//! | capability | behaviour |
//! |---|---|
//! | `individual_settlement` | [`acknowledging_a_message_leaves_the_others_alone`], [`prefetch_bounds_what_an_endpoint_holds`] |
//! | `ordered` | [`messages_are_handled_in_the_order_in_which_they_were_confirmed`] |
//! | `routing_keys` | [`a_topic_exchange_routes_by_key`] |
//! | `delay_max` | [`a_delayed_message_comes_when_its_time_has_come_and_behind_what_is_due_earlier`], [`a_failed_message_comes_again_after_each_delay_and_ends_in_error_after_the_last`], [`rounds_of_redelivery_are_counted_across_restarts`], [`a_permanent_failure_is_not_redelivered`], [`with_an_outbox_a_redelivery_runs_only_what_failed`] |
//! | `sessions` | [`messages_of_a_lane_are_handled_in_order_while_other_lanes_go_on`] |
//! | `lease`, or [`Fixture::lease`] | [`a_lease_that_is_over_gives_the_message_to_somebody_else_and_cannot_be_settled`] |
//!
//! Everything else is a promise of every transport. None may be left out: what a broker has no notion of, its
//! transport makes up for, as the bus copies, confirms and completes where a broker cannot move.
//!
//! # Broken transports
//!
//! A behaviour that nothing could make fail proves nothing. [`faulty::Flaw`] lists ways to be broken, around any
//! driver; this crate's own tests show that each behaviour fails on at least one of them.

mod behaviour;
pub mod faulty;
mod lying;
mod messages;
mod place;
mod probe;
mod put;
mod take;

pub use behaviour::*;
pub use lying::lying;
pub use place::{Configure, Fixture, Place, eventually, soon, with_patience};
pub use probe::{Handled, Probe, Seen};

/// One `#[tokio::test]` per behaviour; the argument is an expression for a [`Fixture`], which is made for each test,
/// and may await.
#[macro_export]
macro_rules! conformance {
    ($fixture:expr) => {
        $crate::behaviours! { $crate::conformance! { @tests $fixture; } }
    };
    (@tests $fixture:expr; $($behaviour:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                $crate::$behaviour($crate::Place::new($fixture).await).await;
            }
        )*
    };
}

/// Calls a macro with the names of all behaviours behind its own arguments: the one list of them.
#[doc(hidden)]
#[macro_export]
macro_rules! behaviours {
    ($($callback:ident)::+ ! { $($arguments:tt)* }) => {
        $($callback)::+! { $($arguments)*
            publish_reaches_every_subscriber
            a_send_reaches_its_queue_only
            a_wire_tap_sees_what_is_sent_to_the_exchange
            competing_consumers_share_a_queue
            several_message_types_live_on_one_endpoint
            a_consumer_of_a_contract_gets_its_part_of_a_message_that_fulfils_it
            a_topic_exchange_routes_by_key
            messages_wait_for_an_endpoint_that_is_away
            buses_with_different_endpoints_reach_each_other
            publish_resolves_when_the_broker_has_the_message
            a_send_to_no_queue_is_unroutable
            what_a_handler_sent_is_confirmed_before_its_message_is_acknowledged
            a_thousand_messages_through_ten_endpoints_arrive_once_each
            publishing_from_many_tasks_loses_nothing
            a_hundred_messages_of_a_handler_are_confirmed_before_its_own_is_completed
            an_empty_message_arrives
            a_large_body_arrives_byte_for_byte
            unicode_headers_and_values_arrive
            message_id_and_correlation_id_survive
            raw_json_is_consumed_by_an_endpoint_that_says_so
            what_a_handler_sends_carries_conversation_initiator_and_headers
            an_expired_message_is_not_handled
            transient_messages_arrive
            a_message_is_acknowledged_after_its_handler_and_comes_back_if_it_was_dropped
            acknowledging_a_message_leaves_the_others_alone
            prefetch_bounds_what_an_endpoint_holds
            messages_are_handled_in_the_order_in_which_they_were_confirmed
            a_concurrency_of_one_handles_one_message_at_a_time
            a_slow_endpoint_does_not_hold_up_others
            a_panic_is_a_failure_and_the_next_message_is_handled
            a_failing_message_ends_in_error_with_reason_body_and_headers
            retries_come_before_error
            immediate_retries_come_one_after_the_other
            retries_at_an_interval_each_wait_for_it
            retries_at_intervals_wait_for_each_of_them_in_turn
            incremental_retries_wait_longer_each_time
            exponential_retries_double_their_pause_up_to_its_limit
            a_message_whose_retries_are_used_up_ends_in_error_with_the_last_failure
            a_permanent_failure_is_not_retried
            a_failure_that_the_policy_excludes_ends_in_error_at_once
            a_discarded_message_is_completed_and_nowhere_else
            a_timeout_ends_a_handler_that_hangs_and_frees_its_place
            a_consumer_that_hangs_in_its_limit_does_not_hold_up_the_other
            a_message_that_ends_its_process_is_found_out
            several_consumers_of_a_type_each_run_and_a_failure_moves_the_message_once
            a_failure_of_the_infrastructure_is_no_attempt
            a_message_that_is_retried_keeps_its_id_and_body
            a_fault_is_published
            a_fault_goes_to_the_fault_address_and_is_not_published
            a_fault_goes_to_the_response_address_if_there_is_no_fault_address
            a_body_that_is_no_envelope_ends_in_error
            a_type_without_consumer_ends_in_skipped
            a_payload_that_does_not_fit_its_type_ends_in_error_without_a_retry
            an_oversize_body_ends_in_error
            the_first_move_makes_the_error_queue_and_the_second_finds_it
            a_moved_message_is_durable_and_keeps_its_priority_and_media_type
            a_moved_message_keeps_headers_and_id_and_can_be_sent_back_and_handled
            dead_letters_are_listed_with_their_reason
            what_a_failed_attempt_sent_never_leaves_an_outbox
            an_endpoint_with_an_outbox_handles_a_message_id_once
            a_delayed_message_comes_when_its_time_has_come_and_behind_what_is_due_earlier
            a_failed_message_comes_again_after_each_delay_and_ends_in_error_after_the_last
            rounds_of_redelivery_are_counted_across_restarts
            a_permanent_failure_is_not_redelivered
            with_an_outbox_a_redelivery_runs_only_what_failed
            messages_of_a_lane_are_handled_in_order_while_other_lanes_go_on
            a_lease_that_is_over_gives_the_message_to_somebody_else_and_cannot_be_settled
            a_bus_may_be_started_and_stopped_twice
            publishing_before_the_start_and_after_the_stop_is_refused
            health_tells_receiving_from_not_started
            stop_finishes_what_runs_and_returns_the_rest
            stop_returns_what_pauses_before_a_retry
            a_stop_with_nothing_running_is_quick_and_a_second_one_harmless
            a_bus_that_is_dropped_returns_what_it_held
        }
    };
}

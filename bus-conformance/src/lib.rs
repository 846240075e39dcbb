//! The behaviours that every transport of the bus must show, each a function with a sentence for a name.
//!
//! A transport's crate (also a third party's) writes a [`Fixture`] and calls the macro
//! [`conformance!`](crate::conformance), which makes one test of each behaviour:
//!
//! ```text
//! bus_conformance::conformance!(MyFixture::new().await);
//! ```

mod behaviour;
pub mod faulty;
mod lying;
mod messages;
mod place;
mod probe;

pub use behaviour::*;
pub use lying::lying;
pub use place::{Fixture, Place, eventually, soon, with_patience};
pub use probe::{Handled, Probe, Seen};

/// One `#[tokio::test]` per behaviour; the argument is an expression for a [`Fixture`], and may await.
#[macro_export]
macro_rules! conformance {
    ($fixture:expr) => {
        $crate::behaviours! { $crate::conformance! { @tests $fixture; } }
    };
    (@tests $fixture:expr; $($behaviour:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                // The fixture outlives what happens in its place.
                let fixture = $fixture;
                $crate::$behaviour($crate::Place::new(&fixture).await).await;
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
            a_message_is_acknowledged_after_its_handler_and_comes_back_if_it_was_dropped
            acknowledging_a_message_leaves_the_others_alone
            prefetch_bounds_what_an_endpoint_holds
            a_panic_is_a_failure_and_the_next_message_is_handled
            a_failing_message_ends_in_error_with_reason_body_and_headers
            a_fault_is_published
            retries_come_before_error
            stop_finishes_what_runs_and_returns_the_rest
            publish_resolves_when_the_broker_has_the_message
            a_send_to_no_queue_is_unroutable
            a_body_that_is_no_envelope_ends_in_error
            a_type_without_consumer_ends_in_skipped
            what_a_handler_sent_is_confirmed_before_its_message_is_acknowledged
        }
    };
}

//! Bugs that were put in on purpose: the simulation has to find each of them.

use std::time::Duration;

use bus_conformance::faulty::{Flaw, flawed};

use crate::{broker, runs::Seeds, schedule::Parts, violation::Violation};

/// Runs schedules until one of them shows what the bug leads to.
#[allow(clippy::print_stdout, reason = "how soon a bug is found says how good the simulation is")]
fn is_found(parts: Parts, shows: impl Fn(&Violation) -> bool + Sync) {
    let Some(found) = Seeds::some().find_failing(parts, shows) else { panic!("no schedule finds it") };
    println!("it is found by schedule {}", found.seed + 1);
}

fn with(flaw: Flaw) -> Parts {
    Parts { driver: flawed(&broker::DRIVER, flaw), ..Parts::sound() }
}

fn lost(violation: &Violation) -> bool {
    matches!(violation, Violation::Lost(_))
}

fn doubled(violation: &Violation) -> bool {
    matches!(violation, Violation::Doubled(_))
}

#[test]
fn a_message_that_is_confirmed_before_the_broker_has_it_is_found_lost() {
    is_found(with(Flaw::ConfirmsEarly), lost);
}

#[test]
fn a_delivery_that_is_completed_with_another_one_is_found_lost() {
    is_found(with(Flaw::AcksTwo), lost);
}

#[test]
fn a_delivery_that_is_released_and_does_not_come_again_is_found_lost() {
    is_found(with(Flaw::LosesReleased), lost);
}

#[test]
fn a_delivery_that_is_completed_before_it_is_handled_is_found_early() {
    is_found(with(Flaw::AcksEarly), |violation| matches!(violation, Violation::Early(_)));
}

#[test]
fn a_message_that_is_sent_twice_is_found_doubled() {
    is_found(with(Flaw::Duplicates), doubled);
}

#[test]
fn a_store_that_forgets_what_was_handled_is_found_to_double_effects() {
    is_found(Parts { remembered: Duration::ZERO, ..Parts::sound() }, doubled);
}

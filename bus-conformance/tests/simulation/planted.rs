//! Bugs that were put in on purpose: the simulation has to find each of them.

use bus_conformance::faulty::{Flaw, flawed};

use crate::{broker, runs::Seeds, violation::Violation};

/// Runs schedules until one of them loses a message by the flaw.
#[allow(clippy::print_stdout, reason = "how soon a bug is found says how good the simulation is")]
fn is_found(flaw: Flaw) {
    let driver = flawed(&broker::DRIVER, flaw);
    let lost = |violation: &Violation| matches!(violation, Violation::Lost(_));
    let Some(found) = Seeds::some().find_failing(driver, lost) else { panic!("no schedule finds {flaw:?}") };
    println!("{flaw:?} is found by schedule {}", found.seed + 1);
}

#[test]
fn a_message_that_is_confirmed_before_the_broker_has_it_is_found_lost() {
    is_found(Flaw::ConfirmsEarly);
}

#[test]
fn a_delivery_that_is_completed_with_another_one_is_found_lost() {
    is_found(Flaw::AcksTwo);
}

#[test]
fn a_delivery_that_is_released_and_does_not_come_again_is_found_lost() {
    is_found(Flaw::LosesReleased);
}

//! A simulation: thousands of short lives of a few buses on the broker in memory. What they do, and what goes wrong
//! with them, follows from a seed; afterwards nothing may be lost, doubled or held.
//!
//! A process is a runtime of its own that runs one task at a time, when the [`schedule`] lets it; to crash it is to
//! drop it, at any of the moments at which something leaves it or reaches it. Between its bus and the broker stands a
//! network ([`broker`]) that answers late, or not, or something else; handlers do as their [`script`] says. What
//! happened is kept in the [`journal`], and the [`oracle`] holds it against the promises of the bus.
//!
//! A schedule that fails says its seed. `BUS_SEED=n` runs that one alone; `BUS_SCHEDULES=n` runs so many (default
//! 2000), from the seed `BUS_SEEDS_FROM=n` on (default 0).

mod broker;
mod debts;
mod dice;
mod faults;
mod handler;
mod journal;
mod message;
mod oracle;
mod planted;
mod process;
mod program;
mod rest;
mod runs;
mod scenario;
mod schedule;
mod script;
mod store;
mod subscriptions;
mod violation;
mod whole;
mod world;

use runs::Seeds;
use schedule::{Parts, Schedule};

#[test]
fn whatever_goes_wrong_no_message_is_lost_doubled_or_held() {
    if let Some(failed) = Seeds::asked_for().find_failing(Parts::sound(), |_| true) {
        panic!("{failed}");
    }
}

#[test]
fn a_seed_gives_the_same_steps_again() {
    for seed in 0..50 {
        let [first, second] = [(), ()].map(|()| Schedule::run(seed, Parts::sound()).steps);
        let same = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
        let (first, second) = (&first[same..], &second[same..]);
        assert!(
            first.is_empty() && second.is_empty(),
            "seed {seed} differs after {same} steps: {:#?} and {:#?}",
            &first[..first.len().min(5)],
            &second[..second.len().min(5)]
        );
    }
}

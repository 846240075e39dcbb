//! Whatever is done to a queue in whatever order: nothing is lost, nothing is in two places, lanes are in order,
//! no receiver has more than its prefetch, and what is in flight is counted.

mod model;
mod world;

use futures_util::FutureExt;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed},
};
use world::World;

/// How the queue is.
#[derive(Debug, Clone, Copy)]
struct Kind {
    lanes: bool,
    leases: bool,
    seed: Option<u64>,
}

/// What somebody does. Numbers choose among what is there.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send { lane: u8, delay: u64 },
    Receive { prefetch: u16 },
    Take { receiver: usize, max: usize },
    Complete { delivery: usize },
    Release { delivery: usize },
    Renew { delivery: usize },
    Pass { seconds: u64 },
    Pause { receiver: usize },
    Close { receiver: usize },
    Drop { receiver: usize },
    Reconnect,
}

fn kind() -> impl Strategy<Value = Kind> {
    (any::<bool>(), any::<bool>(), proptest::option::of(any::<u64>())).prop_map(|(lanes, leases, seed)| Kind {
        lanes,
        leases,
        seed,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..100_usize;
    prop_oneof![
        8 => (0..4_u8).prop_map(|lane| Step::Send { lane, delay: 0 }),
        2 => (0..4_u8, 1..8_u64).prop_map(|(lane, delay)| Step::Send { lane, delay }),
        3 => (1..5_u16).prop_map(|prefetch| Step::Receive { prefetch }),
        6 => (number.clone(), 1..4_usize).prop_map(|(receiver, max)| Step::Take { receiver, max }),
        4 => number.clone().prop_map(|delivery| Step::Complete { delivery }),
        4 => number.clone().prop_map(|delivery| Step::Release { delivery }),
        1 => number.clone().prop_map(|delivery| Step::Renew { delivery }),
        3 => (1..5_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => number.clone().prop_map(|receiver| Step::Pause { receiver }),
        1 => number.clone().prop_map(|receiver| Step::Close { receiver }),
        1 => number.prop_map(|receiver| Step::Drop { receiver }),
        1 => Just(Step::Reconnect),
    ]
}

proptest! {
    #![proptest_config(Config {
        cases: 600,
        rng_seed: RngSeed::Fixed(0x0B05),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn whatever_is_done_nothing_is_lost_or_doubled_or_out_of_order(kind in kind(), steps in vec(step(), 0..80)) {
        let run = async {
            let mut world = World::new(kind).await;
            for step in steps {
                world.take_step(step).await;
                world.check().await;
            }
            world.finish().await;
        };
        // The clock is manual and the broker is here: nothing ever has to be waited for.
        run.now_or_never().expect("somebody waits");
    }
}

//! The faults.

mod broker;
mod network;

use std::{future::Future, pin::Pin};

use crate::{stage::Stage, table::Row};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a mut Stage) -> Running<'a>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Vec<Row>> + 'a>>;

macro_rules! cases {
    ($($module:ident::$case:ident),* $(,)?) => {
        &[$(Case { name: stringify!($case), run: |stage| Box::pin($module::$case(stage)) }),*]
    };
}

pub(crate) const CASES: &[Case] = cases![
    broker::nothing_happens,
    broker::all_connections_are_closed_three_times,
    broker::it_is_killed,
    broker::it_is_restarted,
    broker::it_raises_a_memory_alarm,
    broker::it_is_frozen,
    broker::a_queue_is_deleted_under_its_consumer,
    network::tcp_is_cut,
    network::tcp_is_half_open,
    network::a_frame_ends_in_its_middle,
    network::the_way_is_slow,
    network::the_network_stalls,
];

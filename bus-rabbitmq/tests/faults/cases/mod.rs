//! The faults.

mod alarms;
mod aside;
mod broker;
mod delays;
mod entities;
mod handlers;
mod network;
mod processes;
mod publishing;
mod requesters;
mod stopping;

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
    alarms::it_raises_a_memory_alarm,
    alarms::it_raises_a_disk_alarm,
    broker::it_is_frozen,
    broker::a_queue_is_deleted_under_its_consumer,
    network::tcp_is_cut,
    network::tcp_is_half_open,
    network::a_frame_ends_in_its_middle,
    network::the_way_is_slow,
    network::the_network_stalls,
    network::hosts_die_in_turn,
    publishing::every_seventh_of_ten_thousand_is_unroutable,
    publishing::one_publish_of_a_thousand_closes_the_channel,
    publishing::one_is_larger_than_the_broker_takes,
    publishing::one_has_more_headers_than_a_frame_of_the_brokers,
    publishing::a_blocked_broker_is_flooded,
    handlers::a_thousand_panic,
    handlers::one_never_returns,
    handlers::one_hangs_while_its_connection_is_cut_25_times_at_a_delivery_limit_of_20,
    handlers::they_finish_on_a_cut_connection,
    handlers::they_hold_messages_longer_than_the_broker_allows,
    handlers::one_hangs_for_longer_than_the_broker_waits,
    handlers::messages_fail_while_the_error_queue_is_deleted,
    handlers::transient_messages_fail_and_the_broker_restarts,
    handlers::messages_fail_at_an_endpoint_that_forgets,
    entities::a_binding_is_deleted,
    entities::an_exchange_is_deleted,
    entities::a_message_exchange_is_deleted,
    entities::credentials_are_refused_for_a_while,
    entities::credentials_are_rotated,
    entities::a_permission_is_removed,
    entities::the_runtime_is_blocked,
    processes::one_is_killed_45_times_at_a_delivery_limit_of_20,
    processes::a_handler_aborts,
    processes::one_is_terminated,
    processes::three_are_restarted_one_after_the_other,
    processes::a_single_active_consumer_hands_over,
    processes::a_single_active_consumer_is_terminated,
    aside::nothing_can_be_moved_for_want_of_a_permission,
    requesters::they_are_gone_when_their_messages_fail,
    delays::rounds_are_exact_across_kills,
    delays::a_year_outlasts_a_killed_broker,
    delays::a_level_is_deleted,
    stopping::one_is_terminated_while_the_broker_is_frozen,
    stopping::one_is_terminated_while_the_broker_is_away,
    stopping::one_is_terminated_while_its_handlers_wait_to_send,
];

use std::sync::Arc;

use bus_core::topology::{TopicKind, Topology};
use lapin::{Connection, types::FieldTable};

use super::{
    feature_flag::{ask, may_be_disabled},
    levels::{DELIVERY, LEVELS, level},
};
use crate::{
    endpoint::{Lifetime, arguments, endpoint},
    link::ServerVersion,
    refusal::{Kind, Refusal},
    topology::Declaration,
};

/// The queue of what came to its time and had nowhere to go, and the exchange in front of it.
const UNDELIVERABLE: &str = "bus-undeliverable";

/// Why a server cannot delay messages, if it is known to be too old.
pub(crate) fn unable(topology: &Topology, server: Option<&ServerVersion>) -> Option<(String, Refusal)> {
    let first = topology.queues.iter().find(|queue| queue.redelivers)?;
    let server = server.filter(|server| server.is_older_than(3, 10))?;
    let words = format!("delays need RabbitMQ 3.10 or newer, and this is {server}");
    Some((format!("redelivery to queue `{}`", first.name), Refusal::new(Kind::Precondition, words)))
}

/// Why this server refuses to delay messages safely, if it does. That may cost the connection: to be asked once, before
/// the levels are declared for the first time.
pub(crate) async fn refused(
    connection: &Connection,
    topology: &Topology,
    server: Option<&ServerVersion>,
) -> Option<(String, Refusal)> {
    let first = topology.queues.iter().find(|queue| queue.redelivers).filter(|_| may_be_disabled(server))?;
    let refusal = ask(connection).await.err()?;
    Some((format!("redelivery to queue `{}`", first.name), refusal))
}

/// The levels, in the groups in which everything is declared, with a binding for each of the queues.
pub(crate) fn declarations<'a>(
    queues: impl Iterator<Item = &'a Arc<str>>,
    server: Option<&ServerVersion>,
) -> [Vec<Declaration>; 4] {
    let undeliverable: Arc<str> = UNDELIVERABLE.into();
    let delivery: Arc<str> = DELIVERY.into();
    let mut made = vec![Declaration::queue(&undeliverable, &endpoint().quorum(), server)];
    let mut exchanges = vec![
        Declaration::exchange(&undeliverable, TopicKind::Fanout),
        Declaration::Exchange {
            name: delivery.clone(),
            kind: TopicKind::Topic,
            durable: true,
            auto_delete: false,
            alternate: Some(undeliverable.clone()),
        },
    ];
    let mut waits = vec![bound(&undeliverable, &undeliverable, "")];
    let mut passes = Vec::new();
    let mut below = delivery.clone();
    for number in 0..LEVELS {
        let name: Arc<str> = level(number).into();
        made.push(Declaration::Queue {
            name: name.clone(),
            lifetime: Lifetime::Durable,
            arguments: waiting(number, &below),
            limit: None,
        });
        exchanges.push(Declaration::exchange(&name, TopicKind::Topic));
        waits.push(bound(&name, &name, &digit(number, '1')));
        let routing_key = digit(number, '0').into();
        passes.push(Declaration::ExchangeBinding { source: name.clone(), destination: below, routing_key });
        below = name;
    }
    // Exactly as many words as there are digits: `#` would take `eu.orders` for `orders`.
    waits.extend(queues.map(|queue| bound(&delivery, queue, &format!("{}{queue}", "*.".repeat(LEVELS as usize)))));
    [made, exchanges, waits, passes]
}

fn bound(exchange: &Arc<str>, queue: &Arc<str>, routing_key: &str) -> Declaration {
    Declaration::QueueBinding { exchange: exchange.clone(), queue: queue.clone(), routing_key: routing_key.into() }
}

/// The key of messages with that digit at a level.
fn digit(number: u32, digit: char) -> String {
    format!("{}{digit}.#", "*.".repeat((LEVELS - 1 - number) as usize))
}

fn waiting(number: u32, below: &str) -> FieldTable {
    let options = endpoint()
        .quorum()
        .argument("x-message-ttl", 1000_i64 << number)
        .argument("x-dead-letter-exchange", below.to_owned())
        .argument("x-dead-letter-strategy", "at-least-once")
        .argument("x-overflow", "reject-publish");
    arguments(&options)
}

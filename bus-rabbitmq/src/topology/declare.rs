use bus_core::{
    topology::{TopicKind, Topology},
    transport::{ApplyMode, TransportError},
};
use futures_util::{StreamExt, stream::FuturesOrdered};
use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

use super::{
    delivery_limit::DELIVERY_LIMIT,
    plan::{Declaration, plan},
};
use crate::{
    delay,
    endpoint::Lifetime,
    link::ServerVersion,
    refusal::{Kind, Refusal},
};

/// A declaration that the broker refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// None if it was none in particular.
    entity: Option<String>,
    pub(crate) refusal: Refusal,
}

impl From<lapin::Error> for Refused {
    fn from(error: lapin::Error) -> Self {
        Self { entity: None, refusal: error.into() }
    }
}

impl Refused {
    pub(super) fn of(entity: String, refusal: Refusal) -> Self {
        Self { entity: Some(entity), refusal }
    }

    pub(super) fn unanswered(refusal: Refusal) -> Self {
        Self { entity: None, refusal }
    }

    pub(crate) fn at(self, address: &str) -> TransportError {
        match self.entity {
            Some(entity) if self.refusal.is_answer() => {
                TransportError::Topology { address: address.to_owned(), entity, source: self.refusal.boxed() }
            }
            _ => self.refusal.during(address, "declaring the topology"),
        }
    }
}

/// Brings the broker to the topology, on a channel of its own: a refusal closes it.
pub(crate) async fn declare(
    connection: &Connection,
    topology: &Topology,
    mode: ApplyMode,
    server: Option<&ServerVersion>,
) -> Result<(), Refused> {
    let passive = match mode {
        ApplyMode::Assume => return Ok(()),
        ApplyMode::Validate => true,
        _ => false,
    };
    if let Some((entity, refusal)) = delay::unable(topology, server) {
        return Err(Refused::of(entity, refusal));
    }
    let mut plan = plan(topology, server);
    let mut first: Option<Refused> = None;
    loop {
        let Err(refused) = all(connection, &plan, passive).await else { return Ok(()) };
        let same = |declaration: &&mut Declaration| Some(declaration.to_string()) == refused.entity;
        if plan.iter_mut().flatten().find(same).is_some_and(|declaration| turn_limit(declaration, &refused.refusal)) {
            first = Some(refused);
            continue;
        }
        // Of two refusals of one queue the first is that of what was meant.
        return Err(first.filter(|first| first.entity == refused.entity).unwrap_or(refused));
    }
}

/// Whether it was refused over a delivery limit of our choice, and has not been tried the other way yet.
pub(super) fn turn_limit(declaration: &mut Declaration, refusal: &Refusal) -> bool {
    if refusal.kind() != Kind::Precondition || !refusal.to_string().contains(DELIVERY_LIMIT) {
        return false;
    }
    match declaration {
        Declaration::Queue { limit: Some(limit), .. } => limit.turn(),
        _ => false,
    }
}

async fn all(connection: &Connection, plan: &[Vec<Declaration>], passive: bool) -> Result<(), Refused> {
    let channel = connection.create_channel().await?;
    for group in plan {
        // The broker answers in order, so the first that fails is the one it refused.
        let mut answers: FuturesOrdered<_> = group
            .iter()
            .map(|declaration| {
                let channel = &channel;
                async move { (declaration, one(channel, declaration, passive).await) }
            })
            .collect();
        while let Some((declaration, answer)) = answers.next().await {
            if let Err(error) = answer {
                return Err(Refused { entity: Some(declaration.to_string()), refusal: error.into() });
            }
        }
    }
    // What is declared stays; a close that fails is the connection's affair.
    let _ = channel.close(200, "OK".into()).await;
    Ok(())
}

pub(super) async fn one(channel: &Channel, declaration: &Declaration, passive: bool) -> lapin::Result<()> {
    match declaration {
        Declaration::Queue { name, lifetime, arguments, limit } => {
            let options = QueueDeclareOptions {
                passive,
                durable: *lifetime == Lifetime::Durable,
                exclusive: *lifetime != Lifetime::Durable,
                // MassTransit's expiring ones stay without a consumer until they expire.
                auto_delete: *lifetime == Lifetime::Temporary,
                ..QueueDeclareOptions::default()
            };
            let mut arguments = arguments.clone();
            if let Some(limit) = limit {
                limit.add_to(&mut arguments);
            }
            channel.queue_declare(short(name)?, options, arguments).await.map(drop)
        }
        Declaration::Exchange { name, kind, durable, auto_delete, alternate } => {
            let options = ExchangeDeclareOptions {
                passive,
                durable: *durable,
                auto_delete: *auto_delete,
                ..ExchangeDeclareOptions::default()
            };
            let kind = match kind {
                TopicKind::Direct => ExchangeKind::Direct,
                TopicKind::Topic => ExchangeKind::Topic,
                _ => ExchangeKind::Fanout,
            };
            let mut arguments = FieldTable::default();
            if let Some(alternate) = alternate {
                arguments.insert("alternate-exchange".into(), AMQPValue::LongString(alternate.as_bytes().into()));
            }
            channel.exchange_declare(short(name)?, kind, options, arguments).await
        }
        // AMQP has no passive binding.
        Declaration::QueueBinding { .. } | Declaration::ExchangeBinding { .. } if passive => Ok(()),
        Declaration::QueueBinding { exchange, queue, routing_key } => {
            let (options, key) = (QueueBindOptions::default(), short(routing_key)?);
            channel.queue_bind(short(queue)?, short(exchange)?, key, options, FieldTable::default()).await
        }
        Declaration::ExchangeBinding { source, destination, routing_key } => {
            let (options, key) = (ExchangeBindOptions::default(), short(routing_key)?);
            channel.exchange_bind(short(destination)?, short(source)?, key, options, FieldTable::default()).await
        }
    }
}

/// Names are checked before they get here; lapin would panic over one that is too long.
pub(crate) fn short(name: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(name).map_err(|error| std::io::Error::other(error.to_string()).into())
}

//! What a publish needs to exist, made on the way.

use std::sync::Arc;

use bus_core::{
    address::Destination,
    topology::{TopicKind, Topology},
};
use lapin::Connection;

use super::{
    Applied,
    declare::one,
    plan::{Declaration, plan},
    round::each,
};
use crate::{
    EndpointOptions, delay,
    endpoint::aside,
    refusal::{Kind, Refusal},
};

/// Something that has to be there before a message can go to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// A durable exchange, with what was announced for it; else a fanout. One that is there with other
    /// properties is used as it is.
    Exchange(Arc<str>),
    /// A queue behind an exchange of its name, of the type of the queue `like`; an existing one is used as it
    /// is.
    Queue { name: Arc<str>, like: Arc<str> },
    /// What delays messages, with a binding for this queue, which is not made.
    Delay(Arc<str>),
}

impl Need {
    /// What messages that need it are addressed to.
    pub(crate) fn destination(&self) -> Destination {
        match self {
            Self::Exchange(name) => Destination::Topic(name.clone()),
            Self::Queue { name, .. } | Self::Delay(name) => Destination::Queue(name.clone()),
        }
    }
}

/// Makes it, on channels of its own: each refusal closes one. Returns why it may not be made, where it may be there all
/// the same.
pub(crate) async fn ensure(
    connection: &Connection,
    need: &Need,
    announced: Option<&Topology>,
    applied: &Applied,
) -> Result<Option<Refusal>, Refusal> {
    match need {
        Need::Exchange(name) => match announced {
            Some(topology) => published(connection, topology).await.map(|()| None),
            None => exchange(connection, name, TopicKind::Fanout).await.map(|()| None),
        },
        Need::Delay(queue) => delays(connection, queue, applied).await.map(|()| None),
        // Declared, not asked for: a refusal tells of a queue with arguments of its own, or of one that another
        // connection has for itself, as well as a passive look would, and a missing queue costs no channel.
        Need::Queue { name, like } => {
            let options = aside(&applied.options(like));
            match queue(connection, name, &options, applied).await {
                Err(refusal) if refusal.kind() == Kind::Denied => Ok(Some(refusal)),
                Err(refusal) if used_as_it_is(&refusal) => Ok(None),
                answer => answer.map(|()| None),
            }
        }
    }
}

/// The levels, and the binding of the queue. What somebody made differently, or did not let us make, is used as it is;
/// but without its binding the queue would get nothing.
async fn delays(connection: &Connection, queue: &Arc<str>, applied: &Applied) -> Result<(), Refusal> {
    let groups = delay::declarations(std::iter::once(queue), applied.server().as_ref());
    let mut denied = None;
    for (declaration, refusal) in each(&applied.clock, connection, groups).await? {
        let own = matches!(&declaration, Declaration::QueueBinding { queue: bound, .. } if bound == queue);
        // Its own connection has bound a queue that others may not touch.
        let fine = if own { refusal.kind() == Kind::Locked } else { used_as_it_is(&refusal) };
        if !fine {
            // What may not be made is missing afterwards.
            return Err(denied.unwrap_or(refusal));
        }
        denied = denied.or_else(|| (refusal.kind() == Kind::Denied).then_some(refusal));
    }
    Ok(())
}

/// The topics and bindings of a message type.
async fn published(connection: &Connection, topology: &Topology) -> Result<(), Refusal> {
    for topic in &topology.topics {
        exchange(connection, &topic.name, topic.kind).await?;
    }
    let channel = connection.create_channel().await?;
    for declaration in plan(topology, None).into_iter().flatten() {
        if matches!(declaration, Declaration::ExchangeBinding { .. }) {
            match one(&channel, &declaration, false).await.map_err(Refusal::from) {
                // That closed the channel. The others need the same permission.
                Err(refusal) if refusal.kind() == Kind::Denied => return Ok(()),
                bound => bound?,
            }
        }
    }
    Ok(channel.close(200, "OK".into()).await?)
}

/// An exchange; one that is there with other properties is used as it is.
async fn exchange(connection: &Connection, name: &Arc<str>, kind: TopicKind) -> Result<(), Refusal> {
    let channel = connection.create_channel().await?;
    match one(&channel, &Declaration::exchange(name, kind), false).await.map_err(Refusal::from) {
        // That closed the channel.
        Err(refusal) if used_as_it_is(&refusal) => Ok(()),
        Err(refusal) => Err(refusal),
        Ok(()) => Ok(channel.close(200, "OK".into()).await?),
    }
}

/// It has other properties, another connection has it for itself, or we may not declare it. If it is not
/// there, sending to it says so.
fn used_as_it_is(refusal: &Refusal) -> bool {
    matches!(refusal.kind(), Kind::Precondition | Kind::Locked | Kind::Denied)
}

async fn queue(
    connection: &Connection,
    name: &Arc<str>,
    options: &EndpointOptions,
    applied: &Applied,
) -> Result<(), Refusal> {
    let channel = connection.create_channel().await?;
    one(&channel, &Declaration::queue(name, options, applied.server().as_ref()), false).await?;
    // The queue itself is what counts: sends go to it directly. The exchange is for taps and .NET peers, and
    // one that is there with other properties is theirs.
    exchange(connection, name, TopicKind::Fanout).await?;
    one(&channel, &Declaration::all_of(name, name), false).await?;
    Ok(channel.close(200, "OK".into()).await?)
}

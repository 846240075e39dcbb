//! What a publish needs to exist, made on the way.

use lapin::{
    Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};

use super::declare::short;
use crate::refusal::{Kind, Refusal};

/// Something that has to be there before a message can go to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// A durable fanout exchange; one with other properties is used as it is.
    Exchange(std::sync::Arc<str>),
    /// A queue behind an exchange of its name; an existing queue is used as it is.
    Queue(std::sync::Arc<str>),
}

/// Makes it, on channels of its own: each refusal closes one.
pub(crate) async fn ensure(connection: &Connection, need: &Need) -> Result<(), Refusal> {
    match need {
        Need::Exchange(name) => match exchange(connection, name).await {
            Err(refusal) if refusal.kind() == Kind::Precondition => Ok(()),
            answer => answer,
        },
        // Declared, not asked for: a refusal tells of a queue with arguments of its own as well as a passive
        // look would, and a missing queue costs no channel.
        Need::Queue(name) => match queue(connection, name).await {
            Err(refusal) if refusal.kind() == Kind::Precondition => Ok(()),
            answer => answer,
        },
    }
}

async fn exchange(connection: &Connection, name: &str) -> Result<(), Refusal> {
    let channel = connection.create_channel().await?;
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(short(name)?, ExchangeKind::Fanout, options, FieldTable::default()).await?;
    Ok(channel.close(200, "OK".into()).await?)
}

async fn queue(connection: &Connection, name: &str) -> Result<(), Refusal> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short(name)?, options, FieldTable::default()).await?;
    // The queue itself is what counts: sends go to it directly. The exchange is for taps and .NET peers, and
    // one that is there with other properties is theirs.
    match exchange(connection, name).await {
        Err(refusal) if refusal.kind() != Kind::Precondition => return Err(refusal),
        _ => {}
    }
    let (key, options) = (ShortString::default(), QueueBindOptions::default());
    channel.queue_bind(short(name)?, short(name)?, key, options, FieldTable::default()).await?;
    Ok(channel.close(200, "OK".into()).await?)
}

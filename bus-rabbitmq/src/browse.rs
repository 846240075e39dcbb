use bus_core::transport::DeadLetter;
use lapin::{
    Channel, Connection,
    options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
    types::FieldTable,
};

use crate::{
    decode,
    refusal::{Kind, Refusal},
    topology::short,
};

/// Looking counts as a delivery on quorum queues, and some have a limit (20 by default since RabbitMQ 4.0)
/// at which the broker deletes the message.
const LOOKED_AT: u32 = 10;

/// Gets messages and gives them back, on a channel of its own.
pub(crate) async fn browse(connection: &Connection, queue: &str, max: usize) -> Result<Vec<DeadLetter>, Refusal> {
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(short(queue)?, passive, FieldTable::default()).await.map_err(Refusal::from) {
        // That closed the channel.
        Err(refusal) if refusal.kind() == Kind::Missing => return Ok(Vec::new()),
        declared => declared?,
    };
    let (found, last) = get(&channel, queue, max).await?;
    if let Some(tag) = last {
        channel.basic_nack(tag, BasicNackOptions { multiple: true, requeue: true }).await?;
    }
    // The close waits until the broker has seen the nack.
    channel.close(200, "OK".into()).await?;
    found
}

type Found = (Result<Vec<DeadLetter>, Refusal>, Option<u64>);

async fn get(channel: &Channel, queue: &str, max: usize) -> Result<Found, Refusal> {
    let (mut letters, mut last) = (Vec::new(), None);
    while letters.len() < max {
        let Some(message) = channel.basic_get(short(queue)?, BasicGetOptions::default()).await? else { break };
        last = Some(message.delivery.delivery_tag);
        // A first delivery: what the header counts then happened in another queue.
        let counted_here = message.delivery.redelivered;
        let letter = decode::dead_letter(queue, message.delivery);
        let count = decode::delivery_count(&letter.headers).filter(|_| counted_here);
        if let Some(count) = count.filter(|count| *count >= LOOKED_AT) {
            let id = letter.message_id.as_deref().unwrap_or("without id");
            let words = format!(
                "message {id} was delivered {count} times already; looking counts too, and the broker may delete it"
            );
            return Ok((Err(Refusal::new(Kind::Channel, words)), last));
        }
        letters.push(letter);
    }
    Ok((Ok(letters), last))
}

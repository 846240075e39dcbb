//! Looking into a queue: AMQP can only take messages and give them back.

use std::{sync::Arc, time::Duration};

use bus_core::{
    address::Destination,
    clock::Clock,
    transport::{DeadLetter, Moved, Outgoing},
};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};

use crate::{
    NativeProperties,
    credentials::Identity,
    decode,
    encode::encode,
    link::{backoff, dial, goodbye},
    refusal::{Kind, Refusal},
    settings::Settings,
    topology::short,
};

/// How long a look may take.
const LOOKING: Duration = Duration::from_secs(30);
/// How often one that lost its connection is tried.
const TRIES: u32 = 3;
/// Looking counts as a delivery on quorum queues, and some have a limit (20 by default since RabbitMQ 4.0) at
/// which the broker deletes the message. From this count on a copy, which counts from 0, takes its place.
const LOOKED_AT: u32 = 10;

/// A look into a queue, on a connection of its own: RabbitMQ 3.10 ends the connection that looks into a quorum queue
/// which is just being declared, and that should not be one that anybody else is on.
pub(crate) struct Browsing {
    pub(crate) settings: Arc<Settings>,
    pub(crate) identity: Arc<Identity>,
    /// Which of the hosts.
    pub(crate) host: usize,
    pub(crate) clock: Clock,
    pub(crate) queue: String,
}

impl Browsing {
    /// At most `max` messages from the queue's head. Dropped on the way, or late, what was taken goes back: the
    /// connection is shut.
    pub(crate) async fn look(self, max: usize) -> Result<Vec<DeadLetter>, Refusal> {
        let looking = async {
            let mut failures = 0;
            loop {
                match self.once(max).await {
                    Err(refusal) if refusal.kind() == Kind::Disconnected && failures + 1 < TRIES => {
                        self.clock.sleep(backoff::pause(failures)).await;
                        failures += 1;
                    }
                    looked => return looked,
                }
            }
        };
        let late = |_| Err(Refusal::new(Kind::Channel, format!("no answer within {} s", LOOKING.as_secs())));
        self.clock.by(self.clock.now() + LOOKING, looking).await.unwrap_or_else(late)
    }

    async fn once(&self, max: usize) -> Result<Vec<DeadLetter>, Refusal> {
        let credentials = self.identity.credentials(&self.clock).await?;
        let (clock, host) = (&self.clock, &self.settings.hosts[self.host]);
        let by = (clock, clock.now() + LOOKING);
        let (connection, line) = dial(&self.settings, host, &credentials, "look", by).await?;
        let looked = self.on(&connection, max).await;
        goodbye(clock, &connection, line).await;
        looked
    }

    async fn on(&self, connection: &Connection, max: usize) -> Result<Vec<DeadLetter>, Refusal> {
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        match channel.queue_declare(short(&self.queue)?, passive, FieldTable::default()).await.map_err(Refusal::from) {
            // That closed the channel.
            Err(refusal) if refusal.kind() == Kind::Missing => return Ok(Vec::new()),
            declared => declared?,
        };
        let (mut letters, mut worn, mut fresh) = (Vec::new(), Vec::new(), None);
        while letters.len() < max {
            let Some(message) = channel.basic_get(short(&self.queue)?, BasicGetOptions::default()).await? else {
                break;
            };
            let BasicGetMessage { delivery, .. } = message;
            let (tag, properties, redelivered) =
                (delivery.delivery_tag, delivery.properties.clone(), delivery.redelivered);
            let letter = decode::dead_letter(&self.queue, delivery);
            // Of a first delivery: what the header counts then happened in another queue.
            let count = decode::delivery_count(&letter.headers).filter(|_| redelivered);
            if count.is_some_and(|count| count >= LOOKED_AT) {
                worn.push((tag, self.copy(&letter, &properties)));
            } else {
                fresh = Some(tag);
            }
            letters.push(letter);
        }
        // When all are taken: a copy is not to be met again.
        let renewed = renew(&channel, worn, &self.clock).await;
        let given_back = async {
            // All up to it; what comes behind was renewed, or goes back with the channel.
            if let Some(tag) = fresh {
                channel.basic_nack(tag, BasicNackOptions { multiple: true, requeue: true }).await?;
            }
            // The close waits until the broker has seen the nack.
            channel.close(200, "OK".into()).await
        };
        // A copy that was refused may have closed the channel, and said more.
        let given_back = given_back.await;
        renewed?;
        given_back?;
        Ok(letters)
    }

    fn copy(&self, letter: &DeadLetter, properties: &BasicProperties) -> Outgoing {
        let text = |text: &Option<lapin::types::ShortString>| text.as_ref().map(|text| Arc::from(text.as_str()));
        let to = Destination::Queue(self.queue.as_str().into());
        let mut copy = Outgoing::new(to, letter.body.clone(), self.clock.now() + LOOKING);
        copy.headers = letter.headers.clone();
        copy.content_type = text(properties.content_type());
        copy.message_id = text(properties.message_id());
        copy.correlation_id = text(properties.correlation_id());
        copy.priority = *properties.priority();
        let expiration = properties.expiration().as_ref().and_then(|text| text.as_str().parse().ok());
        copy.time_to_live = expiration.map(Duration::from_millis);
        copy.extensions.insert(Moved);
        if let Some(native) = NativeProperties::of(properties) {
            copy.extensions.insert(native);
        }
        copy
    }
}

/// Puts copies in the place of messages that may not be given back any more, each when the broker has the copy. The
/// rest is untouched by a failure, and its text says what is at stake.
async fn renew(channel: &Channel, worn: Vec<(u64, Outgoing)>, clock: &Clock) -> Result<(), Refusal> {
    if worn.is_empty() {
        return Ok(());
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    for (number, (tag, copy)) in worn.into_iter().enumerate() {
        let id = copy.message_id.as_deref().unwrap_or("without id");
        let at_stake = |why: &str| {
            let words = format!(
                "message {id} was delivered {LOOKED_AT} times or more, looking counts too, and the broker may delete \
                 it; it could not be renewed by a copy: {why}"
            );
            Refusal::new(Kind::Channel, words)
        };
        let publication = encode(&copy, number as u64, clock);
        let sent = channel.basic_publish(
            publication.exchange,
            publication.routing_key,
            publication.options,
            &copy.body,
            publication.properties,
        );
        match sent.await?.await? {
            Confirmation::Ack(None) => channel.basic_ack(tag, BasicAckOptions::default()).await?,
            Confirmation::Ack(Some(_)) => return Err(at_stake("the queue is gone")),
            _ => return Err(at_stake("the queue does not take it (basic.nack)")),
        };
    }
    Ok(())
}

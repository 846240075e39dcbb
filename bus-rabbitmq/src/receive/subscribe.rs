use bus_core::transport::ReceiverSettings;
use lapin::{
    Channel, Connection, Consumer,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};

use crate::{refusal::Refusal, topology::short};

/// A channel of its own, and the consumer on it.
pub(crate) async fn subscribe(
    connection: &Connection,
    settings: &ReceiverSettings,
) -> Result<(Channel, Consumer), Refusal> {
    let channel = connection.create_channel().await?;
    // None would be no limit: lapin buffers all that comes.
    let prefetch = settings.prefetch.max(1);
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let consumer = channel
        .basic_consume(
            short(&settings.queue)?,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok((channel, consumer))
}

use lapin::{
    Connection,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};

use crate::{
    link::ServerVersion,
    refusal::{Kind, Refusal},
};

/// Whether the feature flag that the levels need may be disabled: it is, on a cluster that was upgraded and never told
/// otherwise. Then the broker takes the levels as they are declared, and does not wait for confirms between them.
pub(super) fn may_be_disabled(server: Option<&ServerVersion>) -> bool {
    server.is_none_or(|server| server.is_older_than(3, 12))
}

/// Asks with a queue that cannot be: a stream that is not durable. A server with the flag says that; one without says
/// that it knows no streams, and closes the connection.
pub(super) async fn ask(connection: &Connection) -> Result<(), Refusal> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("stream".into()));
    let channel = connection.create_channel().await?;
    let answer = channel.queue_declare("bus-delay-probe".into(), QueueDeclareOptions::default(), arguments).await;
    match answer.map_err(Refusal::from) {
        Err(refusal) if refusal.to_string().contains("feature flag is disabled") => {
            let words = "delays need the feature flag `stream_queue`, which is disabled on this server: enable it with \
                         `rabbitmqctl enable_feature_flag stream_queue`";
            Err(Refusal::new(Kind::Precondition, words))
        }
        // One that may not ask may not declare the levels either, and is told so.
        Err(refusal) if !refusal.is_answer() => Err(refusal),
        _ => Ok(()),
    }
}

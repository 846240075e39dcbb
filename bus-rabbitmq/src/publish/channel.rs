use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bus_core::clock::Clock;
use lapin::{Channel, Connection, options::ConfirmSelectOptions};

use super::{needs::Announced, returns::Returns};
use crate::{
    refusal::{Kind, Refusal},
    topology::{Applied, Lost, Need, ensure},
};

/// How long the broker may take to answer before it is asked again, on another channel, or given up.
pub(super) const ANSWER: Duration = Duration::from_secs(10);
/// How long messages that do not need it wait for what is being made: until then all stay in order.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long messages wait at the most for the topology to be declared again. A queue that does not answer takes 5 s of
/// it, and the bindings of the others are to be back all the same.
const RESTORING: Duration = Duration::from_secs(7);
/// After something failed although the connection stands.
const PAUSE: Duration = Duration::from_millis(100);

/// The confirm channel of one connection, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) connection: Arc<Connection>,
    /// The bytes of the largest frame.
    pub(crate) frame_max: usize,
    pub(crate) channel: Channel,
    pub(crate) returns: Returns,
}

/// Something that sending waits for.
#[derive(Debug)]
pub(crate) enum Prepared {
    Opened(u64, Box<Outlet>),
    /// Whether the broker answers on that connection at all.
    Answers(u64, bool),
    /// What needs it need not wait alone, but others need not wait for it.
    Late(Need),
    /// The broker's answer; with why it may not be made, where it may be there all the same.
    Ensured(Need, Announced, Result<Option<Refusal>, Refusal>),
}

pub(crate) type Preparing = Pin<Box<dyn Future<Output = Prepared> + Send>>;

/// Opens a channel, however often that takes. With a topology, on a broker that has again what it may have lost.
pub(crate) fn open(
    clock: Clock,
    generation: u64,
    connection: Arc<Connection>,
    lost: Option<(Lost, Arc<Applied>)>,
) -> Preparing {
    Box::pin(async move {
        if let Some((lost, applied)) = lost
            && clock.by(clock.after(RESTORING), applied.again_for_senders(&connection, lost)).await.is_err()
        {
            tracing::warn!(
                after = ?RESTORING,
                "the topology is not declared again yet: publishing goes on, and an event whose binding the broker \
                 lost reaches nobody until that is back"
            );
        }
        loop {
            let opened = async {
                let channel = connection.create_channel().await?;
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                Ok(channel)
            };
            // No queue has a part in it: who does not answer to this answers to nothing.
            let Ok(opened) = clock.by(clock.now() + ANSWER, opened).await else {
                return Prepared::Answers(generation, false);
            };
            match opened.map_err(|error: lapin::Error| Refusal::from(error)) {
                Ok(channel) => {
                    let frame_max = usize::try_from(connection.configuration().frame_max()).unwrap_or(usize::MAX);
                    let outlet = Outlet { connection, frame_max, channel, returns: Returns::default() };
                    return Prepared::Opened(generation, Box::new(outlet));
                }
                Err(refusal) => tracing::debug!(error = %refusal, "no channel to publish on: asked for again"),
            }
            clock.sleep(PAUSE).await;
        }
    })
}

/// Finds out whether the broker answers on a connection on which messages are not confirmed. It may only have a queue
/// that is slow; but RabbitMQ 3.10 may also read no more from a connection after a quorum queue was deleted under its
/// messages, for ever and with heartbeats.
pub(crate) fn probe(clock: Clock, generation: u64, connection: Arc<Connection>) -> Preparing {
    Box::pin(async move {
        let asked = async { connection.create_channel().await?.close(200, "OK".into()).await };
        // An error is an answer, or an end of the connection, which is seen as such.
        Prepared::Answers(generation, clock.by(clock.now() + ANSWER, asked).await.is_ok())
    })
}

/// Makes it, until the broker says yes or no.
pub(crate) fn make(
    clock: Clock,
    connection: Arc<Connection>,
    need: Need,
    announced: Announced,
    applied: Arc<Applied>,
) -> Preparing {
    Box::pin(async move {
        loop {
            match answered(&clock, ensure(&connection, &need, announced.as_deref(), &applied)).await {
                Err(refusal) if !refusal.is_answer() => {
                    tracing::debug!(?need, error = %refusal, "what publishing needs could not be declared: tried again");
                    clock.sleep(PAUSE).await;
                }
                result => return Prepared::Ensured(need, announced, result),
            }
        }
    })
}

/// Tells when others have waited for it long enough.
pub(crate) fn patience(clock: Clock, need: Need) -> Preparing {
    Box::pin(async move {
        clock.sleep(PATIENCE).await;
        Prepared::Late(need)
    })
}

async fn answered<T>(clock: &Clock, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    match clock.by(clock.now() + ANSWER, work).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::new(Kind::Disconnected, format!("no answer within {} s", ANSWER.as_secs()))),
    }
}

//! Declaring again, as much as the broker takes.

use std::{future::Future, time::Duration};

use bus_core::{clock::Clock, topology::Topology};
use futures_util::{StreamExt, stream::FuturesOrdered};
use lapin::Connection;

use super::{
    declare::{one, turn_limit},
    plan::{Declaration, plan},
};
use crate::{
    delay,
    link::ServerVersion,
    refusal::{Kind, Refusal},
};

/// How long the broker may take for one declaration.
const ANSWER: Duration = Duration::from_secs(5);

/// Declares all that can be declared, and returns what could not, with the broker's words: one queue that somebody
/// made differently, or that does not answer, is no reason to leave out the others.
///
/// # Errors
/// The connection is of no use.
pub(super) async fn round(
    clock: &Clock,
    connection: &Connection,
    topology: &Topology,
    server: Option<&ServerVersion>,
) -> Result<Vec<String>, Refusal> {
    planned(clock, connection, topology, plan(topology, server), server).await
}

/// The same for a plan of it, which may be a part.
pub(super) async fn planned(
    clock: &Clock,
    connection: &Connection,
    topology: &Topology,
    plan: [Vec<Declaration>; 4],
    server: Option<&ServerVersion>,
) -> Result<Vec<String>, Refusal> {
    let mut left_out = match delay::unable(topology, server) {
        Some((what, why)) => vec![format!("{what}: {why}")],
        None => Vec::new(),
    };
    let refused = each(clock, connection, plan).await?;
    left_out.extend(refused.into_iter().map(|(declaration, refusal)| format!("{declaration}: {refusal}")));
    Ok(left_out)
}

/// Declares all that can be declared, and returns what could not.
pub(super) async fn each(
    clock: &Clock,
    connection: &Connection,
    groups: impl IntoIterator<Item = Vec<Declaration>>,
) -> Result<Vec<(Declaration, Refusal)>, Refusal> {
    let mut left_out = Vec::new();
    for mut group in groups {
        while !group.is_empty() {
            let channel = answer(clock, connection.create_channel()).await??;
            let mut answers: FuturesOrdered<_> =
                group.iter().map(|declaration| one(&channel, declaration, false)).collect();
            let mut answered = 0;
            // The broker answers in order, so the first that fails is the one it refused; that closes the channel.
            let refusal = loop {
                match answer(clock, answers.next()).await {
                    Ok(None) => break None,
                    Ok(Some(Ok(()))) => answered += 1,
                    Ok(Some(Err(error))) => break Some(Refusal::from(error)),
                    Err(late) => break Some(Refusal::new(Kind::Unanswered, late.to_string())),
                }
            };
            drop(answers);
            match refusal {
                None => {
                    // What is declared stays; a close that fails is the connection's affair.
                    let _ = answer(clock, channel.close(200, "OK".into())).await;
                    break;
                }
                // The next round of the loop declares it the other way.
                Some(refusal) if turn_limit(&mut group[answered], &refusal) => drop(group.drain(..answered)),
                Some(refusal) if refusal.is_answer() || refusal.kind() == Kind::Unanswered => {
                    left_out.extend(group.drain(..=answered).next_back().map(|refused| (refused, refusal)));
                }
                Some(refusal) => return Err(refusal),
            }
        }
    }
    Ok(left_out)
}

async fn answer<T>(clock: &Clock, work: impl Future<Output = T>) -> Result<T, Refusal> {
    let answered = clock.by(clock.now() + ANSWER, work).await;
    answered.map_err(|_| Refusal::new(Kind::Disconnected, format!("no answer within {} s", ANSWER.as_secs())))
}

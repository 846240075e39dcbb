//! Declaring queues, exchanges and bindings, at the start and after every reconnect.

mod declare;
mod delivery_limit;
mod ensure;
mod plan;

use std::sync::{Arc, Mutex, PoisonError};

use bus_core::{topology::Topology, transport::ApplyMode};
use lapin::Connection;

pub(crate) use declare::{Refused, declare, short};
pub(crate) use ensure::{Need, ensure};

use crate::{EndpointOptions, link::ServerVersion, refusal::Refusal};

/// What was applied last. It is declared again whenever the broker may have lost it.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    last: Mutex<Option<(Arc<Topology>, ApplyMode)>>,
    /// Of the last connection that could tell.
    server: Mutex<Option<ServerVersion>>,
    /// One at a time: every endpoint of a restarted broker asks at once.
    turn: tokio::sync::Mutex<()>,
}

impl Applied {
    /// What is declared may depend on the server; an unknown version leaves what was known.
    pub(crate) fn connected_to(&self, server: Option<ServerVersion>) {
        if server.is_some() {
            *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
        }
    }

    pub(crate) fn server(&self) -> Option<ServerVersion> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The options of a queue that was applied; the default ones if it was not.
    pub(crate) fn options(&self, queue: &str) -> EndpointOptions {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let applied =
            last.as_ref().and_then(|(topology, _)| topology.queues.iter().find(|known| *known.name == *queue));
        applied.map(plan::options).unwrap_or_default()
    }

    /// Declares it, and keeps it if the broker took it.
    pub(crate) async fn apply(
        &self,
        connection: &Connection,
        topology: &Topology,
        mode: ApplyMode,
    ) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        declare(connection, topology, mode, self.server().as_ref()).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(topology.clone()), mode));
        Ok(())
    }

    /// Declares again what was applied last. That the broker has it differently now does not stop the rest:
    /// only a lost connection is an error.
    pub(crate) async fn again(&self, connection: &Connection) -> Result<(), Refusal> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((topology, mode)) = last else { return Ok(()) };
        if mode != ApplyMode::Create {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        match declare(connection, &topology, mode, self.server().as_ref()).await {
            Err(refused) if refused.refusal.is_answer() => {
                tracing::warn!(reason = %refused.refusal, "the topology could not be declared again");
                Ok(())
            }
            Err(refused) => Err(refused.refusal),
            Ok(()) => Ok(()),
        }
    }
}

use std::{collections::HashSet, sync::Arc};

use bus_core::topology::Topology;
use lapin::{Channel, Connection, options::ConfirmSelectOptions};

use super::returns::Returns;
use crate::{
    refusal::Refusal,
    topology::{Applied, Need, ensure},
};

/// The confirm channel of one connection, and what belongs to it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) connection: Arc<Connection>,
    pub(crate) channel: Channel,
    pub(crate) returns: Returns,
}

/// What was made on this connection, and need not be asked for again.
#[derive(Debug, Default)]
pub(crate) struct Made {
    generation: u64,
    needs: HashSet<Need>,
}

impl Made {
    /// A new connection may be to a broker that lost everything.
    pub(crate) fn on(&mut self, generation: u64) -> &mut HashSet<Need> {
        if self.generation != generation {
            self.generation = generation;
            self.needs.clear();
        }
        &mut self.needs
    }
}

/// Something that sending waits for.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Nothing but a pause before the next try.
    Paused,
    Opened {
        generation: u64,
        result: Result<Box<Outlet>, Refusal>,
    },
    Ensured {
        generation: u64,
        results: Vec<(Need, Result<(), Refusal>)>,
    },
}

pub(crate) async fn open(generation: u64, connection: Arc<Connection>) -> Prepared {
    let result = async {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Box::new(Outlet { connection, channel, returns: Returns::default() }))
    };
    Prepared::Opened { generation, result: result.await }
}

pub(crate) async fn make(
    generation: u64,
    connection: Arc<Connection>,
    needs: Vec<(Need, Option<Arc<Topology>>)>,
    applied: Arc<Applied>,
) -> Prepared {
    let mut results = Vec::with_capacity(needs.len());
    for (need, announced) in needs {
        let result = ensure(&connection, &need, announced.as_deref(), &applied).await;
        results.push((need, result));
    }
    Prepared::Ensured { generation, results }
}

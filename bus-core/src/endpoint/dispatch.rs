use std::{collections::HashMap, sync::Arc};

use super::{Stopped, Stopping};
use crate::{
    MessageType,
    consumer::{EndpointContext, Failure},
    envelope::{Envelope, Incoming},
    fault::{Aside, fault_headers, move_aside, skipped_headers, tell},
    pipeline::{Pipeline, Unfinished},
    transport::{Delivery, SettleOutcome, Settlement},
};

/// Decides what happens to one delivery: which consumers run, and how it is settled.
pub(crate) struct Dispatcher {
    endpoint: Arc<EndpointContext>,
    pipelines: Vec<Arc<dyn Pipeline>>,
    /// The URN in lower case, and which pipelines take it.
    by_urn: HashMap<String, Vec<usize>>,
}

impl Dispatcher {
    pub(crate) fn new(endpoint: Arc<EndpointContext>, pipelines: Vec<Arc<dyn Pipeline>>) -> Self {
        let mut by_urn: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, pipeline) in pipelines.iter().enumerate() {
            by_urn.entry(pipeline.message_type().urn().to_ascii_lowercase()).or_default().push(index);
        }
        Self { endpoint, pipelines, by_urn }
    }

    pub(crate) fn endpoint(&self) -> &Arc<EndpointContext> {
        &self.endpoint
    }

    /// Handles a delivery to its end. If the endpoint stops meanwhile, the delivery is released.
    pub(crate) async fn deliver(&self, delivery: Delivery, mut stopping: Stopping) {
        // A delivery that is dropped unsettled is released, and so is one whose handling was stopped.
        let Ok(()) = self.handle(delivery, &mut stopping).await.map_err(|Stopped| ()) else {
            tracing::debug!(endpoint = &*self.endpoint.name, "returned a message: the endpoint stops");
            return;
        };
    }

    async fn handle(&self, delivery: Delivery, stopping: &mut Stopping) -> Result<(), Stopped> {
        let incoming = match Envelope::read(&delivery.body) {
            Ok(envelope) => Arc::new(Incoming::new(
                envelope,
                delivery.body.clone(),
                delivery.content_type.clone(),
                delivery.headers.clone(),
                delivery.redelivered,
            )),
            Err(error) => return self.unreadable(delivery, Failure::permanent(error), stopping).await,
        };
        let selected = self.select(&incoming.envelope.message_type);
        if selected.is_empty() {
            tracing::warn!(
                endpoint = &*self.endpoint.name,
                message_type = ?incoming.envelope.message_type,
                message_id = ?incoming.envelope.message_id,
                "no consumer here takes this message: moved to _skipped"
            );
            return move_aside(delivery, Aside::Skipped, skipped_headers(), &self.endpoint, stopping).await;
        }
        // Every consumer runs; the first failure decides for the message.
        let mut failed = None;
        for pipeline in selected {
            match pipeline.clone().run(incoming.clone(), self.endpoint.clone(), stopping.clone()).await {
                Ok(()) => {}
                Err(Unfinished::Stopped) => return Err(Stopped),
                Err(Unfinished::Failed { failure, retries }) => {
                    self.failed(pipeline.as_ref(), &incoming, &failure, retries, stopping).await?;
                    let consumer = Some((&**pipeline.consumer(), pipeline.message_type()));
                    failed.get_or_insert_with(|| fault_headers(&failure, retries, consumer, &self.endpoint));
                }
            }
        }
        match failed {
            None => {
                if delivery.unsettled.settle(Settlement::Complete).await != SettleOutcome::Settled {
                    tracing::debug!(endpoint = &*self.endpoint.name, "a handled message may be delivered again");
                }
                Ok(())
            }
            Some(reason) => move_aside(delivery, Aside::Error, reason, &self.endpoint, stopping).await,
        }
    }

    async fn failed(
        &self,
        pipeline: &dyn Pipeline,
        incoming: &Incoming,
        failure: &Failure,
        retries: u32,
        stopping: &mut Stopping,
    ) -> Result<(), Stopped> {
        tracing::error!(
            endpoint = &*self.endpoint.name,
            consumer = &**pipeline.consumer(),
            message_type = pipeline.message_type().urn(),
            message_id = ?incoming.envelope.message_id,
            retries,
            error = %failure.chain(),
            "a consumer failed: the message goes to _error"
        );
        tell(pipeline.fault_type(), failure, retries, Some(incoming), None, &self.endpoint, stopping).await
    }

    async fn unreadable(&self, delivery: Delivery, failure: Failure, stopping: &mut Stopping) -> Result<(), Stopped> {
        tracing::error!(
            endpoint = &*self.endpoint.name,
            message_id = delivery.message_id.as_deref(),
            content_type = delivery.content_type.as_deref(),
            error = %failure,
            "a body could not be read: the message goes to _error"
        );
        let content_type = delivery.content_type.as_deref();
        tell(MessageType::receive_fault(), &failure, 0, None, content_type, &self.endpoint, stopping).await?;
        let reason = fault_headers(&failure, 0, None, &self.endpoint);
        move_aside(delivery, Aside::Error, reason, &self.endpoint, stopping).await
    }

    /// The consumers of any of the message's types, each once.
    fn select(&self, urns: &[String]) -> Vec<&Arc<dyn Pipeline>> {
        let mut indexes: Vec<usize> =
            urns.iter().filter_map(|urn| self.by_urn.get(&urn.to_ascii_lowercase())).flatten().copied().collect();
        if indexes.len() > 1 {
            indexes.sort_unstable();
            indexes.dedup();
        }
        indexes.into_iter().map(|index| &self.pipelines[index]).collect()
    }
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("endpoint", &self.endpoint.name).finish_non_exhaustive()
    }
}

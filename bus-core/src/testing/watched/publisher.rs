use std::sync::Arc;

use super::held;
use crate::{
    testing::activity::Activity,
    topology::Topology,
    transport::{Confirm, Outgoing, Permit, Publisher, Window},
};

/// Counts what is not confirmed.
#[derive(Debug)]
pub(super) struct WatchedPublisher {
    pub(super) inner: Arc<dyn Publisher>,
    pub(super) activity: Arc<Activity>,
}

impl Publisher for WatchedPublisher {
    fn window(&self) -> &Arc<Window> {
        self.inner.window()
    }

    fn announce(&self, topic: &Arc<str>, needs: Arc<Topology>) {
        self.inner.announce(topic, needs);
    }

    fn submit(&self, permit: Permit, message: Outgoing) -> Confirm {
        let busy = self.activity.begin();
        held(self.inner.submit(permit, message), busy)
    }
}

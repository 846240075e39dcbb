use std::{fmt, sync::Arc};

use super::chain::Link;
use crate::consumer::{Context, Failure};

/// The rest of the chain: the filters that follow, then the consumer.
pub struct Next {
    ctx: Context,
    rest: Arc<dyn Link>,
}

impl Next {
    pub(super) fn new(ctx: Context, rest: Arc<dyn Link>) -> Self {
        Self { ctx, rest }
    }

    /// Goes on with it. Dropping the future cancels it; a filter that does not call this answers in the
    /// consumer's place.
    ///
    /// It belongs to the attempt, which does not wait for a task that it is moved into.
    ///
    /// # Errors
    /// What the consumer, or a filter before it, fails with. [`Error::ContextClosed`](crate::Error::ContextClosed)
    /// if the attempt has ended before.
    pub async fn run(self) -> Result<(), Failure> {
        self.rest.run(self.ctx).await
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("ctx", &self.ctx).finish_non_exhaustive()
    }
}

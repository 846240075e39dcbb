use std::fmt;

use crate::{filter::Filter, pipeline::Filters};

/// A filter that a configuration can name. The set is open: `typetag` finds every `impl` that is linked into the
/// program. How to write one is told in [the module](super).
#[typetag::deserialize(tag = "name")]
pub trait FilterConfig: Send + Sync {
    /// Makes the filter; once for each endpoint or consumer that it is for.
    fn build(&self) -> BoxedFilter;
}

/// A filter, its type erased.
pub struct BoxedFilter(pub(crate) Filters);

impl BoxedFilter {
    /// Erases a filter's type.
    pub fn new(filter: impl Filter) -> Self {
        let mut one = Filters::default();
        one.filter(filter);
        Self(one)
    }
}

impl fmt::Debug for BoxedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedFilter")
    }
}

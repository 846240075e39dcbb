use std::{any::type_name, error::Error, fmt, sync::Arc};

use crate::consumer::Failure;

/// Which failures a policy retries: all but some, or only some.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) unless: Vec<Kind>,
    pub(super) only: Vec<Kind>,
}

/// Errors of one type, all of them or some.
#[derive(Clone)]
pub(super) struct Kind {
    pub(super) error_type: &'static str,
    /// No predicate chooses among them.
    pub(super) all: bool,
    includes: Arc<Includes>,
}

type Includes = dyn Fn(&(dyn Error + 'static)) -> bool + Send + Sync;

impl Kind {
    pub(super) fn of<E: Error + 'static>(predicate: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        let includes = move |error: &(dyn Error + 'static)| error.downcast_ref::<E>().is_some_and(&predicate);
        Self { error_type: type_name::<E>(), all: false, includes: Arc::new(includes) }
    }

    pub(super) fn all<E: Error + 'static>() -> Self {
        Self { all: true, ..Self::of(|_: &E| true) }
    }
}

impl Filter {
    pub(super) fn unless(&mut self, kind: Kind) {
        self.unless.push(kind);
    }

    pub(super) fn only(&mut self, kind: Kind) {
        self.only.push(kind);
    }

    /// Runs predicates of the user's.
    pub(super) fn takes(&self, failure: &Failure) -> bool {
        let found = |kinds: &[Kind]| kinds.iter().any(|kind| failure.links().any(|link| (kind.includes)(link)));
        if self.only.is_empty() { !found(&self.unless) } else { found(&self.only) }
    }

    /// A panic is of no type that could be named.
    pub(super) fn takes_panics(&self) -> bool {
        self.only.is_empty()
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let (only, unless) = (self.only.first()?.error_type, self.unless.first()?.error_type);
        Some(format!(
            "its retry policy has `.only` (`{only}`) and `.unless` (`{unless}`): what is on neither list would be \
             retried by the one and not by the other; keep one of them"
        ))
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error_type)
    }
}

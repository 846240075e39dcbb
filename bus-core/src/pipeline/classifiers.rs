use std::{any::type_name, error::Error, fmt, sync::Arc};

use crate::consumer::{Failure, Verdict};

/// What an endpoint makes of errors by their type, in the order in which it is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classifiers(Vec<Classifier>);

#[derive(Clone)]
struct Classifier {
    error_type: &'static str,
    classify: Arc<Classify>,
}

/// None for errors of other types.
type Classify = dyn Fn(&(dyn Error + 'static)) -> Option<Verdict> + Send + Sync;

impl Classifiers {
    pub(crate) fn add<E: Error + 'static>(&mut self, classify: impl Fn(&E) -> Verdict + Send + Sync + 'static) {
        let classify = move |error: &(dyn Error + 'static)| error.downcast_ref::<E>().map(&classify);
        self.0.push(Classifier { error_type: type_name::<E>(), classify: Arc::new(classify) });
    }

    /// The verdict of the first one whose type is found. Runs the user's code.
    pub(super) fn verdict(&self, failure: &Failure) -> Option<Verdict> {
        self.0.iter().find_map(|classifier| failure.links().find_map(|link| (classifier.classify)(link)))
    }
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error_type)
    }
}

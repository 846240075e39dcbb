use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _};

use crate::{
    bus::Problem,
    configuration::{
        read::Mistake,
        tree::{Key, Node, Place, Table, Value},
    },
};

/// A value, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// Reads the fields of one table, and notes what is wrong with them.
pub(super) struct Fields<'a> {
    of: Of,
    problems: &'a mut Vec<Problem>,
}

/// Whose table it is.
#[derive(Debug, Clone)]
pub(super) enum Of {
    Bus,
    Defaults,
    Endpoint(String),
    Consumer { endpoint: String, name: String },
}

impl<'a> Fields<'a> {
    pub(super) fn new(of: Of, problems: &'a mut Vec<Problem>) -> Self {
        Self { of, problems }
    }

    /// The same for a table inside of it.
    pub(super) fn within(&mut self, of: Of) -> Fields<'_> {
        Fields { of, problems: self.problems }
    }

    /// The same for the table of one of an endpoint's consumers.
    pub(super) fn of_consumer(&mut self, name: &str) -> Fields<'_> {
        let name = name.to_owned();
        match &self.of {
            Of::Endpoint(endpoint) => self.within(Of::Consumer { endpoint: endpoint.clone(), name }),
            other => self.within(other.clone()),
        }
    }

    /// The value of a key; none if it is wrong.
    pub(super) fn value<T: DeserializeOwned>(&mut self, key: &Key, node: &Node) -> Option<T> {
        match node.read() {
            Ok(value) => Some(value),
            Err((place, problem)) => {
                self.problem(&place, Some(key), &problem);
                None
            }
        }
    }

    /// The same, with its place.
    pub(super) fn told<T: DeserializeOwned>(&mut self, key: &Key, node: &Node) -> Option<Told<T>> {
        self.value(key, node).map(|value| Told { value, place: key.place.clone() })
    }

    /// The table of a key.
    pub(super) fn table<'n>(&mut self, key: &Key, node: &'n Node) -> Option<Cow<'n, Table>> {
        match table(node) {
            Ok(table) => Some(table),
            Err(problem) => {
                self.problem(&node.place, Some(key), &problem);
                None
            }
        }
    }

    /// The table that the fields are of.
    pub(super) fn table_of<'n>(&mut self, node: &'n Node) -> Option<Cow<'n, Table>> {
        match table(node) {
            Ok(table) => Some(table),
            Err(problem) => {
                self.problem(&node.place, None, &problem);
                None
            }
        }
    }

    /// A key that should not be there.
    pub(super) fn refuse(&mut self, key: &Key, problem: &Mistake) {
        self.problem(&key.place, None, problem);
    }

    pub(super) fn problem(&mut self, place: &Place, key: Option<&Key>, problem: &Mistake) {
        let text = match (&self.of, key) {
            (Of::Defaults, Some(key)) => format!("`endpoint_defaults`, `{}`: {problem}", key.text),
            (Of::Defaults, None) => format!("`endpoint_defaults`: {problem}"),
            (_, Some(key)) => format!("`{}`: {problem}", key.text),
            (_, None) => problem.to_string(),
        };
        let problem = Problem::configured(text, place);
        self.problems.push(match &self.of {
            Of::Bus | Of::Defaults => problem,
            Of::Endpoint(name) => problem.of_endpoint(name),
            Of::Consumer { endpoint, name } => problem.of_endpoint(endpoint).of_consumer(name),
        });
    }
}

fn table(node: &Node) -> Result<Cow<'_, Table>, Mistake> {
    if let Some(Node { value: Value::Table(table), .. }) = node.json()? {
        return Ok(Cow::Owned(table));
    }
    match &node.value {
        Value::Table(table) => Ok(Cow::Borrowed(table)),
        _ => Err(Mistake::custom("expected a table")),
    }
}

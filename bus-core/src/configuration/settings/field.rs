use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _};

use crate::configuration::{
    read::Problem,
    tree::{Key, Node, Place, Table, Value},
};

/// A value, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// Reads the fields of one table, and notes what is wrong with them.
pub(super) struct Fields<'a> {
    /// Whose table it is, as people say it: ``endpoint `orders` ``; none is the bus.
    of: Option<String>,
    problems: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(of: Option<String>, problems: &'a mut Vec<String>) -> Self {
        Self { of, problems }
    }

    /// The same for a table inside of it.
    pub(super) fn within(&mut self, of: String) -> Fields<'_> {
        Fields { of: Some(of), problems: self.problems }
    }

    pub(super) fn of(&self) -> &str {
        self.of.as_deref().unwrap_or_default()
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
    pub(super) fn refuse(&mut self, key: &Key, problem: &Problem) {
        self.problem(&key.place, None, problem);
    }

    pub(super) fn problem(&mut self, place: &Place, key: Option<&Key>, problem: &Problem) {
        let of = self.of.as_deref().into_iter().map(str::to_owned);
        let whose: Vec<_> = of.chain(key.map(|key| format!("`{}`", key.text))).collect();
        let whose = if whose.is_empty() { String::new() } else { format!("{}: ", whose.join(", ")) };
        self.problems.push(format!("{place}: {whose}{problem}"));
    }
}

fn table(node: &Node) -> Result<Cow<'_, Table>, Problem> {
    if let Some(Node { value: Value::Table(table), .. }) = node.json()? {
        return Ok(Cow::Owned(table));
    }
    match &node.value {
        Value::Table(table) => Ok(Cow::Borrowed(table)),
        _ => Err(Problem::custom("expected a table")),
    }
}

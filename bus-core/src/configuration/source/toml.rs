use std::sync::Arc;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    bus::Problem,
    configuration::tree::{Key, Node, Place, Table, Value},
};

/// Reads TOML.
pub(super) fn read(source: &Arc<str>, text: &str) -> Result<Node, Problem> {
    let document = Document { source, text };
    match DeTable::parse(text) {
        Ok(table) => Ok(Node { place: document.place(table.span().start), value: document.table(table.get_ref())? }),
        // Its display would show the line, which may hold a secret of a filter's.
        Err(error) => {
            let place = error.span().map_or_else(|| Place::whole(source), |span| document.place(span.start));
            Err(Problem::configured(format!("this is no TOML: {}", error.message()), &place))
        }
    }
}

struct Document<'a> {
    source: &'a Arc<str>,
    text: &'a str,
}

impl Document<'_> {
    fn place(&self, offset: usize) -> Place {
        Place::in_text(self.source, self.text, offset)
    }

    fn table(&self, table: &DeTable<'_>) -> Result<Value, Problem> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut read = Table::new();
        for (key, value) in entries {
            let place = self.place(key.span().start);
            let key = Key { text: key.get_ref().clone().into_owned(), place, loose: false };
            read.push((key, self.node(value)?));
        }
        Ok(Value::Table(read))
    }

    fn node(&self, node: &Spanned<DeValue<'_>>) -> Result<Node, Problem> {
        let place = self.place(node.span().start);
        let refuse = |what: &str| Err(Problem::configured(what, &place));
        let value = match node.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => return refuse("the number has more than 64 bits"),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => return refuse("this is no number"),
            },
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Array(list) => Value::List(list.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?),
            DeValue::Table(table) => self.table(table)?,
        };
        Ok(Node { value, place })
    }
}

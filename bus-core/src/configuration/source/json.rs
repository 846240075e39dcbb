use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    bus::Problem,
    configuration::tree::{Key, Node, Place, Value},
};

/// How deep values may be nested; the reader of TOML allows about as much.
const DEPTH: u8 = 64;

/// Reads JSON. serde_json tells nobody where it is; a value that was left as it stands is a part of the text, and
/// where a part begins can be said.
pub(super) fn read(source: &Arc<str>, text: &str) -> Result<Node, Problem> {
    let document = Document { source, text };
    let root: &RawValue = serde_json::from_str(text).map_err(|error| {
        let place = Place::at(source, error.line(), error.column());
        no_json(&error, &place)
    })?;
    document.node(root.get(), DEPTH).map_err(|error| no_json(&error, &Place::whole(source)))
}

/// The value of a variable: its place is the variable.
pub(crate) fn in_variable(text: &str, place: &Place) -> Result<Node, serde_json::Error> {
    let mut node = Document { source: &"".into(), text }.node(text, DEPTH)?;
    node.put(place);
    Ok(node)
}

impl Node {
    fn put(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(list) => list.iter_mut().for_each(|node| node.put(place)),
            Value::Table(table) => table.iter_mut().for_each(|(key, node)| {
                key.place = place.clone();
                node.put(place);
            }),
            _ => {}
        }
    }
}

struct Document<'a> {
    source: &'a Arc<str>,
    text: &'a str,
}

impl Document<'_> {
    fn node(&self, part: &str, levels: u8) -> Result<Node, serde_json::Error> {
        // What is left as it stands may be nested without end.
        let Some(inside) = levels.checked_sub(1) else {
            return Err(serde_json::Error::custom(format!("it is nested deeper than {DEPTH} levels")));
        };
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let place = Place::in_text(self.source, self.text, offset);
        let value = match part.as_bytes().first() {
            Some(b'{') => {
                let mut table = Vec::new();
                for (text, part) in serde_json::from_str::<Entries<'_>>(part)?.0 {
                    if table.iter().any(|(key, _): &(Key, Node)| key.text == text) {
                        return Err(serde_json::Error::custom(format!("the key `{text}` is there twice")));
                    }
                    let node = self.node(part.get(), inside)?;
                    table.push((Key { text, place: node.place.clone(), loose: false }, node));
                }
                Value::Table(table)
            }
            Some(b'[') => {
                let parts: Vec<&RawValue> = serde_json::from_str(part)?;
                Value::List(parts.into_iter().map(|part| self.node(part.get(), inside)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::Text(serde_json::from_str(part)?),
            Some(b't' | b'f') => Value::Bool(serde_json::from_str(part)?),
            Some(b'n') => Value::Nothing,
            _ => match whole(part) {
                Some(number) => Value::Integer(number),
                None => Value::Float(serde_json::from_str(part)?),
            },
        };
        Ok(Node { value, place })
    }
}

fn whole<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_str(part).ok()
}

/// The position is told as all positions are.
fn no_json(error: &serde_json::Error, place: &Place) -> Problem {
    let text = error.to_string();
    let what = text.split_once(" at line ").map_or(&*text, |(what, _)| what);
    Problem::configured(format!("this is no JSON: {what}"), place)
}

/// An object's keys and values in order, repeated ones included.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

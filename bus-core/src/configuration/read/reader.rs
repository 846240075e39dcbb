use std::cell::RefCell;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, IntoDeserializer, Unexpected, Visitor},
    forward_to_deserialize_any,
};

use super::{
    Mistake,
    access::{Elements, Entries, Variant},
};
use crate::configuration::{
    source::in_variable,
    tree::{Node, Place, Value},
};

impl Node {
    /// Reads it as serde reads things. The problem says where it is.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, (Place, Mistake)> {
        let failed = RefCell::new(None);
        let reader = Reader { node: self, failed: &failed };
        T::deserialize(reader).map_err(|problem| (failed.take().unwrap_or_else(|| self.place.clone()), problem))
    }

    /// The JSON in a variable, if that is what it is.
    pub(crate) fn json(&self) -> Result<Option<Self>, Mistake> {
        match &self.value {
            Value::Untyped(text) if text.trim_start().starts_with(['{', '[']) => {
                let node = in_variable(text.trim(), &self.place);
                node.map(Some).map_err(|error| Mistake::custom(format_args!("this is no JSON: {error}")))
            }
            _ => Ok(None),
        }
    }
}

/// A node for serde. The error's place is on the side, where the first one to fail puts it: on their way through
/// typetag, errors are texts.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    failed: &'a RefCell<Option<Place>>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    pub(super) fn note<T>(self, place: &Place, result: Result<T, Mistake>) -> Result<T, Mistake> {
        if result.is_err() {
            self.failed.borrow_mut().get_or_insert_with(|| place.clone());
        }
        result
    }

    /// A variable's value where the field does not say what it wants.
    fn guess<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Mistake> {
        match text {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => match text.parse() {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_str(text),
            },
        }
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match &self.node.value {
                Value::Untyped(text) => match text.parse() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Mistake::invalid_type(Unexpected::Str(text), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if let Some(node) = self.node.json()? {
            return Reader { node: &node, failed: self.failed }.deserialize_any(visitor);
        }
        match &self.node.value {
            Value::Nothing => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Untyped(text) => Self::guess(text, visitor),
            Value::List(list) => visitor.visit_seq(Elements { reader: self, rest: list.iter() }),
            Value::Table(table) => visitor.visit_map(Entries { reader: self, rest: table.iter(), value: None }),
        }
    }

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Untyped(text) => visitor.visit_str(text),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.value {
            Value::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        if let Some(node) = self.node.json()? {
            return Reader { node: &node, failed: self.failed }.deserialize_enum(name, variants, visitor);
        }
        match &self.node.value {
            Value::Text(text) | Value::Untyped(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Table(table) => match table.as_slice() {
                [(key, value)] => visitor.visit_enum(Variant { reader: self, key, value }),
                _ => Err(Mistake::custom(format_args!("expected one of `{}`", variants.join("`, `")))),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

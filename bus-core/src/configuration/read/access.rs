use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{Problem, reader::Reader};
use crate::configuration::tree::{Key, Node};

/// A list.
pub(super) struct Elements<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) rest: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        let Some(node) = self.rest.next() else { return Ok(None) };
        self.reader.note(&node.place, seed.deserialize(self.reader.of(node))).map(Some)
    }
}

/// A table.
pub(super) struct Entries<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) rest: std::slice::Iter<'a, (Key, Node)>,
    pub(super) value: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        self.reader.note(&key.place, seed.deserialize(key.text.as_str().into_deserializer())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let node = self.value.take().ok_or_else(|| Problem::custom("a value without a key"))?;
        self.reader.note(&node.place, seed.deserialize(self.reader.of(node)))
    }
}

/// `{ exponential = { … } }`: the key is the variant.
pub(super) struct Variant<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) key: &'a Key,
    pub(super) value: &'a Node,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Problem> {
        let variant = seed.deserialize(self.key.text.as_str().into_deserializer());
        Ok((self.reader.note(&self.key.place, variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        self.newtype_variant_seed(std::marker::PhantomData)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        self.reader.note(&self.value.place, seed.deserialize(self.reader.of(self.value)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Problem> {
        self.reader.note(&self.value.place, self.reader.of(self.value).deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.reader.note(&self.value.place, self.reader.of(self.value).deserialize_any(visitor))
    }
}

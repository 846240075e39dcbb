use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{Mistake, reader::Reader};
use crate::configuration::tree::{Key, Node};

/// A list.
pub(super) struct Elements<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) rest: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
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
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        self.reader.note(&key.place, seed.deserialize(key.text.as_str().into_deserializer())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let node = self.value.take().ok_or_else(|| Mistake::custom("a value without a key"))?;
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
    type Error = Mistake;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mistake> {
        let variant = seed.deserialize(self.key.text.as_str().into_deserializer());
        Ok((self.reader.note(&self.key.place, variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        self.newtype_variant_seed(std::marker::PhantomData)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        self.reader.note(&self.value.place, seed.deserialize(self.reader.of(self.value)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.reader.note(&self.value.place, self.reader.of(self.value).deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.reader.note(&self.value.place, self.reader.of(self.value).deserialize_any(visitor))
    }
}

use std::collections::HashMap;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// A JSON text without repeated members: of each the last one counts, as for .NET. Linear in the text.
pub(super) fn last_of_repeated(json: &str) -> Result<String, serde_json::Error> {
    let mut text = String::with_capacity(json.len());
    write(json, &mut text)?;
    Ok(text)
}

fn write(json: &str, into: &mut String) -> Result<(), serde_json::Error> {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(json)?;
            let last: HashMap<&str, usize> = members.iter().enumerate().map(|(at, (name, _))| (&**name, at)).collect();
            into.push('{');
            let mut first = true;
            for (at, (name, value)) in members.iter().enumerate() {
                if last[&**name] != at {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    into.push(',');
                }
                into.push_str(&serde_json::to_string(name)?);
                into.push(':');
                write(value.get(), into)?;
            }
            into.push('}');
        }
        Some(b'[') => {
            into.push('[');
            for (at, element) in serde_json::from_str::<Vec<&RawValue>>(json)?.into_iter().enumerate() {
                if at > 0 {
                    into.push(',');
                }
                write(element.get(), into)?;
            }
            into.push(']');
        }
        _ => into.push_str(json),
    }
    Ok(())
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

use syn::{Attribute, Error, Ident, LitStr, Meta, Path, Result};

use super::namespace::is_identifier;
use crate::attributes::{Key, Keys};

const KEYS: &[Key] = &[
    Key { name: "namespace", example: "namespace = \"Acme.Orders\"" },
    Key { name: "name", example: "name = \"SubmitOrder\"" },
    Key { name: "urn", example: "urn = \"Acme.Orders:SubmitOrder\"" },
    Key { name: "entity_name", example: "entity_name = \"submit-order\"" },
    Key { name: "correlate", example: "correlate = order_id" },
    Key { name: "names", example: "names = \"as_written\"" },
    Key { name: "crate", example: "crate = path::to::bus" },
];

/// What `#[message(…)]` says.
#[derive(Default)]
pub(super) struct Options {
    pub(super) namespace: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) urn: Option<LitStr>,
    pub(super) entity_name: Option<LitStr>,
    pub(super) correlate: Option<Ident>,
    pub(super) names_as_written: bool,
    pub(super) root: Option<Path>,
}

impl Options {
    pub(super) fn read(attrs: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        let mut keys = Keys::new("#[message]", KEYS);
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("message")) {
            if matches!(attr.meta, Meta::Path(_)) {
                continue;
            }
            attr.parse_nested_meta(|meta| {
                let key = keys.next(&meta)?;
                match key.name {
                    "namespace" => options.namespace = Some(key.text(&meta)?),
                    "name" => options.name = Some(type_name(key.text(&meta)?)?),
                    "urn" => options.urn = Some(key.text(&meta)?),
                    "entity_name" => options.entity_name = Some(key.text(&meta)?),
                    "correlate" => options.correlate = Some(key.ident(&meta)?),
                    "names" => {
                        let names = key.text(&meta)?;
                        if names.value() != "as_written" {
                            return Err(Error::new(
                                names.span(),
                                format!("`names` takes one value: `{}`", key.example),
                            ));
                        }
                        options.names_as_written = true;
                    }
                    _ => options.root = Some(key.path(&meta)?),
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

/// A simple name, or `Outer+Inner` for a nested .NET type.
fn type_name(name: LitStr) -> Result<LitStr> {
    if name.value().split('+').all(is_identifier) {
        return Ok(name);
    }
    Err(Error::new(
        name.span(),
        format!(
            "{:?} is not the name of a type: write it without its namespace, a nested type as `Outer+Inner`",
            name.value()
        ),
    ))
}

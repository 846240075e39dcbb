use syn::{Attribute, Error, Ident, LitStr, Meta, Path, Result};

use super::namespace::is_identifier;
use crate::attributes::{Key, Keys};

const KEYS: &[Key] = &[
    Key { name: "namespace", example: "namespace = \"Acme.Orders\"" },
    Key { name: "name", example: "name = \"SubmitOrder\"" },
    Key { name: "urn", example: "urn = \"Acme.Orders:SubmitOrder\"" },
    Key { name: "uri", example: "uri = \"scheme:submit-order\"" },
    Key { name: "entity_name", example: "entity_name = \"submit-order\"" },
    Key { name: "implements", example: "implements(OrderEvent, OrderAudited)" },
    Key { name: "exchange_type", example: "exchange_type = \"direct\"" },
    Key { name: "topology", example: "topology = false" },
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
    pub(super) uri: Option<LitStr>,
    pub(super) entity_name: Option<LitStr>,
    pub(super) contracts: Vec<Path>,
    /// A variant of `TopicKind`.
    pub(super) exchange_type: Option<&'static str>,
    pub(super) outside_topology: bool,
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
                    "uri" => options.uri = Some(absolute(key.text(&meta)?)?),
                    "entity_name" => options.entity_name = Some(key.text(&meta)?),
                    "implements" => options.contracts = key.types(&meta)?,
                    "exchange_type" => options.exchange_type = Some(topic_kind(&key.text(&meta)?)?),
                    "topology" => options.outside_topology = !key.flag(&meta)?,
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
        match &options.uri {
            Some(uri) if options.urn.is_some() => {
                Err(Error::new(uri.span(), "`urn` and `uri` both replace the URN: remove one"))
            }
            _ => Ok(options),
        }
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

/// A URI with its scheme (RFC 3986, section 3.1): a letter, then letters, digits, `+`, `-` and `.`.
fn absolute(uri: LitStr) -> Result<LitStr> {
    let text = uri.value();
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && !rest.is_empty() => Ok(uri),
        _ => Err(Error::new(
            uri.span(),
            format!(
                "{text:?} does not begin with a scheme (letters, digits, `+`, `-` and `.`, then `:`): for a name behind \
                 `urn:message:` write `urn = {text:?}`"
            ),
        )),
    }
}

/// The variant of `TopicKind`.
fn topic_kind(exchange_type: &LitStr) -> Result<&'static str> {
    match exchange_type.value().as_str() {
        "fanout" => Ok("Fanout"),
        "direct" => Ok("Direct"),
        "topic" => Ok("Topic"),
        _ => Err(Error::new(
            exchange_type.span(),
            "`exchange_type` takes one of three values: `\"fanout\"`, `\"direct\"` or `\"topic\"`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_begins_with_a_scheme() {
        let check = |text: &str| absolute(LitStr::new(text, proc_macro2::Span::call_site())).is_ok();
        for uri in ["scheme:renamed-urn", "urn:message:Acme:A", "https://acme.example/a:b", "x-1+y.z:a"] {
            assert!(check(uri), "{uri}");
        }
        for other in ["short-name", ":a", "a:", "1a:b", "my_scheme:b", "größe:b", "/a:b"] {
            assert!(!check(other), "{other}");
        }
    }
}

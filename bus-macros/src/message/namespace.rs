use std::{env, fs, path::Path};

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Error, Ident, LitStr, Result};
use toml_edit::{DocumentMut, Item};

/// The namespace of a message type.
pub(super) struct Namespace {
    pub(super) text: String,
    /// Makes a change of Cargo.toml recompile the crate, if the namespace comes from there.
    pub(super) watch: TokenStream,
}

impl Namespace {
    /// The one given on the type, else the crate's.
    pub(super) fn find(given: Option<&LitStr>, message: &Ident) -> Result<Self> {
        if let Some(given) = given {
            let text = given.value();
            return match is_namespace(&text) {
                true => Ok(Self { text, watch: TokenStream::new() }),
                false => Err(Error::new(given.span(), refusal(&text, "namespace = \"Acme.Orders\""))),
            };
        }
        let manifest = env::var("CARGO_MANIFEST_DIR")
            .ok()
            .and_then(|directory| fs::read_to_string(Path::new(&directory).join("Cargo.toml")).ok())
            .unwrap_or_default();
        match in_manifest(&manifest) {
            Ok(Some(text)) => Ok(Self { text, watch: watch_manifest() }),
            Ok(None) => Err(Error::new(
                message.span(),
                format!(
                    "`{message}` has no namespace: write `#[message(namespace = \"Acme.Orders\")]` on it, or once \
                     for the crate, in its Cargo.toml:\n\n[package.metadata.bus]\nnamespace = \"Acme.Orders\"\n"
                ),
            )),
            Err(refusal) => Err(Error::new(message.span(), format!("in Cargo.toml, {refusal}"))),
        }
    }
}

/// Dot-separated identifiers, as in .NET.
fn is_namespace(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

/// A letter or `_`, then letters, digits and `_`.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn refusal(text: &str, example: &str) -> String {
    format!("the namespace {text:?} is not made of names joined by dots: write for example `{example}`")
}

/// `namespace` of `[package.metadata.bus]`.
fn in_manifest(manifest: &str) -> std::result::Result<Option<String>, String> {
    let Ok(manifest) = manifest.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let namespace =
        ["package", "metadata", "bus", "namespace"].iter().try_fold(manifest.as_item(), |table, key| table.get(key));
    match namespace.map(Item::as_str) {
        None => Ok(None),
        Some(Some(text)) if is_namespace(text) => Ok(Some(text.to_owned())),
        Some(Some(text)) => Err(refusal(text, "namespace = \"Acme.Orders\"")),
        Some(None) => Err("`namespace` is not a text: write for example `namespace = \"Acme.Orders\"`".to_owned()),
    }
}

/// Cargo does not rebuild for a change of metadata; a file that is included is watched.
fn watch_manifest() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        const _: &str = ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_made_of_names_joined_by_dots() {
        for text in ["Acme", "Acme.Orders", "_a.B2", "Größe.数量"] {
            assert!(is_namespace(text), "{text}");
        }
        for text in ["", ".", "Acme.", "Acme..Orders", "Acme:Orders", "acme-orders", "2Acme", "Acme Orders"] {
            assert!(!is_namespace(text), "{text}");
        }
    }

    #[test]
    fn the_manifest_gives_the_namespace_of_the_crate() {
        assert_eq!(in_manifest("[package.metadata.bus]\nnamespace = \"Acme.Orders\""), Ok(Some("Acme.Orders".into())));
        assert_eq!(in_manifest("[package]\nmetadata = { bus = { namespace = \"A\" } }"), Ok(Some("A".into())));
        assert_eq!(in_manifest("[package]\nname = \"x\""), Ok(None));
        assert_eq!(in_manifest("[package.metadata.bus]\nother = 1"), Ok(None));
        assert_eq!(in_manifest(""), Ok(None));
        assert!(in_manifest("[package.metadata.bus]\nnamespace = 1").unwrap_err().contains("not a text"));
        assert!(in_manifest("[package.metadata.bus]\nnamespace = \"a-b\"").unwrap_err().contains("\"a-b\""));
    }
}

//! Reads `key = value, …`, and says of a wrong one what to write instead.

mod nearest;

use std::fmt::Display;

use nearest::nearest;
use proc_macro2::Span;
use syn::{
    Error, Ident, LitBool, LitInt, LitStr, Path, Result, Token, ext::IdentExt, meta::ParseNestedMeta, parenthesized,
    parse::Parse, punctuated::Punctuated, spanned::Spanned, token::Paren,
};

/// A key that an attribute takes, with an example for error texts.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) example: &'static str,
}

/// The keys of one attribute: refuses unknown ones and repetitions.
pub(crate) struct Keys {
    attribute: &'static str,
    known: &'static [Key],
    seen: Vec<(&'static str, Span)>,
}

impl Keys {
    pub(crate) fn new(attribute: &'static str, known: &'static [Key]) -> Self {
        Self { attribute, known, seen: Vec::new() }
    }

    /// The key at the reader's position; its value follows.
    pub(crate) fn next(&mut self, meta: &ParseNestedMeta<'_>) -> Result<&'static Key> {
        let attribute = self.attribute;
        let written = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        let Some(key) = self.known.iter().find(|key| key.name == written) else {
            let names = || self.known.iter().map(|key| key.name);
            return Err(meta.error(match nearest(&written, names()) {
                Some(near) => format!("`{attribute}` has no `{written}`: did you mean `{near}`?"),
                None => format!("`{attribute}` takes no such key: it takes {}", listed(names())),
            }));
        };
        if self.has(key.name) {
            return Err(meta.error(format!("`{}` is given twice: remove one", key.name)));
        }
        self.seen.push((key.name, meta.path.segments[0].ident.span()));
        Ok(key)
    }

    /// Was this key given?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.seen.iter().any(|(seen, _)| *seen == name)
    }

    /// The first key given of these, and where it stands.
    pub(crate) fn first_of(&self, names: &[&str]) -> Option<(&'static str, Span)> {
        self.seen.iter().copied().find(|(seen, _)| names.contains(seen))
    }
}

impl Key {
    /// `key` alone.
    pub(crate) fn alone(&self, meta: &ParseNestedMeta<'_>) -> Result<Span> {
        match meta.input.is_empty() || meta.input.peek(Token![,]) {
            true => Ok(meta.path.span()),
            false => Err(self.takes("no value", meta.path.span())),
        }
    }

    /// `key = "text"`.
    pub(crate) fn text(&self, meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
        let text: LitStr = self.value(meta, "a text")?;
        if text.value().is_empty() {
            return Err(Error::new(text.span(), format!("`{}` is empty: write `{}`", self.name, self.example)));
        }
        Ok(text)
    }

    /// `key = 16`: from 1 to 65535.
    pub(crate) fn count(&self, meta: &ParseNestedMeta<'_>) -> Result<u16> {
        let number: LitInt = self.value(meta, "a number")?;
        match number.base10_parse::<u16>() {
            Ok(0) | Err(_) => Err(Error::new(
                number.span(),
                format!("`{}` is from 1 to {}: write `{}`", self.name, u16::MAX, self.example),
            )),
            Ok(count) => Ok(count),
        }
    }

    /// `key = field`.
    pub(crate) fn ident(&self, meta: &ParseNestedMeta<'_>) -> Result<Ident> {
        self.equals(meta, "a name")?;
        meta.input.call(Ident::parse_any).map_err(|error| self.takes("a name", error.span()))
    }

    /// `key = path::to::item`.
    pub(crate) fn path(&self, meta: &ParseNestedMeta<'_>) -> Result<Path> {
        self.equals(meta, "a path")?;
        meta.input.call(Path::parse_mod_style).map_err(|error| self.takes("a path", error.span()))
    }

    /// `key = false`.
    pub(crate) fn flag(&self, meta: &ParseNestedMeta<'_>) -> Result<bool> {
        self.value(meta, "`true` or `false`").map(|flag: LitBool| flag.value)
    }

    /// `key(Type, path::to::Type<Argument>)`.
    pub(crate) fn types(&self, meta: &ParseNestedMeta<'_>) -> Result<Vec<Path>> {
        let what = "types in parentheses";
        let place = meta.path.segments[0].ident.span();
        if !meta.input.peek(Paren) {
            return Err(self.takes(what, place));
        }
        let listed;
        parenthesized!(listed in meta.input);
        let types: Punctuated<Path, Token![,]> =
            listed.parse_terminated(Path::parse, Token![,]).map_err(|error| self.takes(what, error.span()))?;
        if types.is_empty() {
            return Err(Error::new(place, format!("`{}` is empty: write `{}`", self.name, self.example)));
        }
        Ok(types.into_iter().collect())
    }

    fn value<T: Parse>(&self, meta: &ParseNestedMeta<'_>, what: &str) -> Result<T> {
        self.equals(meta, what)?;
        meta.input.parse::<T>().map_err(|error| self.takes(what, error.span()))
    }

    fn equals(&self, meta: &ParseNestedMeta<'_>, what: &str) -> Result<()> {
        match meta.input.parse::<Token![=]>() {
            Ok(_) => Ok(()),
            Err(_) => Err(self.takes(what, meta.path.segments[0].ident.span())),
        }
    }

    fn takes(&self, what: &str, span: Span) -> Error {
        Error::new(span, format!("`{}` takes {what}: write `{}`", self.name, self.example))
    }
}

/// `` `a`, `b` and `c` ``.
fn listed(names: impl Iterator<Item = impl Display>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Collects errors, so that one compilation shows all of them.
#[derive(Default)]
pub(crate) struct Problems(Option<Error>);

impl Problems {
    pub(crate) fn add(&mut self, span: Span, text: impl Display) {
        self.push(Error::new(span, text));
    }

    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or its error is kept.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_compile_error(self) -> proc_macro2::TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}

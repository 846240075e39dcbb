use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Path, Result};

/// The path under which generated code finds the bus: the one the user gave, else the facade, else the core,
/// each under the name that the user's Cargo.toml gives it.
pub(crate) fn root(given: Option<&Path>, attribute: &str) -> Result<TokenStream> {
    if let Some(path) = given {
        return Ok(path.to_token_stream());
    }
    for (package, library) in [("bus", "bus"), ("bus-core", "bus_core")] {
        let name = match crate_name(package) {
            // Both crates say `extern crate self as …`, so that this path also holds inside of them, in their
            // tests, examples and doctests.
            Ok(FoundCrate::Itself) => library.to_owned(),
            Ok(FoundCrate::Name(name)) => name,
            Err(_) => continue,
        };
        let span = Span::mixed_site();
        let name = Ident::new(&name, span);
        return Ok(quote_spanned!(span=> ::#name));
    }
    Err(Error::new(
        Span::call_site(),
        format!(
            "the crate `bus` is not among the dependencies in Cargo.toml: add it, or write \
             `#[{attribute}(crate = path::to::bus)]`"
        ),
    ))
}

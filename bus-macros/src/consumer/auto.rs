//! `#[consumer(auto)]`: what `.discover()` finds.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Error, ItemFn, ItemImpl, Result, ext::IdentExt};

use super::options::Options;
use crate::bound::located;

/// Registers a function, by its name and with its settings.
pub(super) fn function(function: &ItemFn, options: &Options, auto: Span, root: &TokenStream) -> TokenStream {
    let (name, settings) = (&function.sig.ident, options.settings(root));
    let shown = name.unraw().to_string();
    let registration = quote_spanned! {Span::mixed_site()=> .named(#shown, #settings) };
    registered(&name.to_token_stream(), &registration, auto, root)
}

/// Registers the type of a block, a unit struct: any other would need values.
pub(super) fn block(block: &ItemImpl, auto: Span, root: &TokenStream) -> Result<TokenStream> {
    if !block.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &block.generics,
            "a generic consumer cannot be found: remove `auto`, and give it to the builder with `.consumer(..)`",
        ));
    }
    let span = Span::mixed_site();
    let consumer = &block.self_ty;
    let unit = located(quote_spanned!(span=> Unit {}), consumer);
    let registered = registered(&unit, &TokenStream::new(), auto, root);
    let has_fields = format!(
        "`{}` has fields, so `.discover()` cannot make one: remove `auto`, and give it to the builder with \
         `.consumer(..)`",
        consumer.to_token_stream().to_string().replace(' ', ""),
    );
    let no_fields =
        located(quote_spanned!(span=> ::core::assert!(::core::mem::size_of::<Unit>() == 0, #has_fields)), consumer);
    Ok(quote_spanned! {span=>
        const _: () = {
            type Unit = #consumer;
            const _: () = #no_fields;
            #registered
        };
    })
}

fn registered(consumer: &TokenStream, named: &TokenStream, auto: Span, root: &TokenStream) -> TokenStream {
    let name = root.to_string().replace([' ', ':'], "");
    let package = if name.ends_with("bus_core") { "bus-core" } else { "bus" };
    let without_feature = format!(
        "`#[consumer(auto)]` needs the feature `discover`: in Cargo.toml write \
         `{package} = {{ version = \"{}\", features = [\"discover\"] }}`",
        env!("CARGO_PKG_VERSION")
    );
    let at_auto = Span::mixed_site().located_at(auto);
    quote_spanned! {at_auto=>
        #root::consumer::discovered! { #consumer, {#named}, #without_feature }
    }
}

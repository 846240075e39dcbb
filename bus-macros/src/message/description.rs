//! The body of `fn message_type`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{DeriveInput, LitStr, ext::IdentExt};

use super::{contracts, options::Options};
use crate::attributes::Problems;

/// An expression of type `&'static MessageType`.
pub(super) fn describe(
    input: &DeriveInput,
    namespace: &str,
    options: &Options,
    root: &TokenStream,
    problems: &mut Problems,
) -> TokenStream {
    contracts::check(&options.contracts, input, problems);
    let span = Span::mixed_site();
    let name = options.name.as_ref().map_or_else(|| input.ident.unraw().to_string(), LitStr::value);
    let rest = rest(options, root);
    if input.generics.type_params().next().is_none() {
        // Described in the function, where the bounds of the impl hold: in a `static` they would be checked again.
        return quote_spanned! {span=>
            static TYPE: ::std::sync::OnceLock<#root::MessageType> = ::std::sync::OnceLock::new();
            TYPE.get_or_init(|| #root::MessageType::new(#namespace, #name) #rest)
        };
    }
    for (given, key) in [(&options.urn, "urn"), (&options.uri, "uri"), (&options.entity_name, "entity_name")] {
        if let Some(given) = given {
            problems.add(
                given.span(),
                format!("a generic message has a name for each of its arguments: remove `{key}`, or write one struct per argument"),
            );
        }
    }
    let arguments = input.generics.type_params().map(|parameter| &parameter.ident);
    quote_spanned! {span=>
        #root::message::intern::<Self>(|| {
            #root::MessageType::generic(
                #namespace,
                #name,
                ::std::vec![#(<#arguments as #root::Message>::message_type()),*],
            ) #rest
        })
    }
}

/// What follows the name: `.with_urn("…").implementing([…])`.
fn rest(options: &Options, root: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let urn = options.urn.as_ref().map(|urn| quote_spanned!(span=> .with_urn(#urn)));
    let uri = options.uri.as_ref().map(|uri| quote_spanned!(span=> .with_uri(#uri)));
    let entity_name = options.entity_name.as_ref().map(|name| quote_spanned!(span=> .with_entity_name(#name)));
    let topic_kind = options.exchange_type.map(|kind| {
        let kind = Ident::new(kind, span);
        quote_spanned!(span=> .with_topic_kind(#root::message::TopicKind::#kind))
    });
    let outside_topology = options.outside_topology.then(|| quote_spanned!(span=> .outside_topology()));
    let implementing = contracts::implementing(&options.contracts, root);
    // The own URN first: a contract of the same URN is left out.
    quote_spanned!(span=> #urn #uri #entity_name #topic_kind #outside_topology #implementing)
}

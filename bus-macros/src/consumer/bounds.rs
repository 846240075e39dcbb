use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Type, WherePredicate, parse_quote};

use crate::bound::{bound, located};

/// A consumer is shared between threads.
pub(super) fn shared(consumer: &Type) -> WherePredicate {
    let span = Span::mixed_site();
    let bounds = [
        quote_spanned!(span=> ::core::marker::Send),
        quote_spanned!(span=> ::core::marker::Sync),
        quote_spanned!(span=> 'static),
    ]
    .map(|bound| located(bound, consumer));
    parse_quote!(#consumer: #(#bounds)+*)
}

/// What must hold of the types in a handler's signature.
pub(super) fn signature_bounds<'a>(
    message: &Type,
    extractors: impl Iterator<Item = &'a Type>,
    output: &Type,
    root: &TokenStream,
) -> Vec<WherePredicate> {
    let span = Span::mixed_site();
    let mut bounds = vec![bound(message, quote_spanned!(span=> #root::consumer::MessageArg))];
    bounds.extend(extractors.map(|extractor| bound(extractor, quote_spanned!(span=> #root::extract::Extract))));
    bounds.push(bound(output, quote_spanned!(span=> #root::consumer::HandlerResult)));
    bounds
}

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Type, WherePredicate, parse_quote};

/// `ty: Trait`, which the compiler refuses at the place of `ty`.
///
/// As bounds on an impl, what must hold of the user's types is checked once and then taken for granted in its
/// functions, also where nothing is generic: each mistake shows one error.
fn bound(ty: &Type, path: TokenStream) -> WherePredicate {
    let path = located(path, ty);
    parse_quote!(#ty: #path)
}

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

/// The tokens, resolved as they were, but shown at `place`.
fn located(tokens: TokenStream, place: &impl ToTokens) -> TokenStream {
    let spans: Vec<Span> = place.to_token_stream().into_iter().map(|token| token.span()).collect();
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return tokens };
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let end = tokens.len() - 1;
    let located = tokens.into_iter().enumerate().map(|(at, mut token)| {
        token.set_span(token.span().located_at(if at == end { *last } else { *first }));
        token
    });
    located.collect()
}

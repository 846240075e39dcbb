use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{WherePredicate, parse_quote};

/// `ty: Trait`, which the compiler refuses at the place of `ty`.
///
/// As bounds on an impl, what must hold of the user's types is checked once and then taken for granted in its
/// functions, also where nothing is generic: each mistake shows one error.
pub(crate) fn bound(ty: &impl ToTokens, path: TokenStream) -> WherePredicate {
    let path = located(path, ty);
    parse_quote!(#ty: #path)
}

/// The tokens, resolved as they were, but shown at `place`.
pub(crate) fn located(tokens: TokenStream, place: &impl ToTokens) -> TokenStream {
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

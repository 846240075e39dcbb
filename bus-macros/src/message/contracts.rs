//! `implements(…)`: the contracts that a message fulfils.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{DeriveInput, Generics, Ident, Path, WherePredicate, spanned::Spanned, visit::Visit};

use crate::{attributes::Problems, bound::bound};

/// Refuses a contract that is listed twice, and the message itself.
pub(super) fn check(contracts: &[Path], input: &DeriveInput, problems: &mut Problems) {
    let mut listed = HashSet::new();
    for contract in contracts {
        let written = spelled(contract);
        if is_itself(contract, &input.ident) {
            problems.add(contract.span(), format!("a message fulfils its own contract anyway: remove `{written}`"));
        } else if !listed.insert(written.clone()) {
            problems.add(contract.span(), format!("`{written}` is listed already: remove one"));
        }
    }
}

/// `.implementing([…])`, or nothing.
pub(super) fn implementing(contracts: &[Path], root: &TokenStream) -> TokenStream {
    if contracts.is_empty() {
        return TokenStream::new();
    }
    let span = Span::mixed_site();
    let types = contracts.iter().map(|contract| quote_spanned!(span=> <#contract as #root::Message>::message_type()));
    quote_spanned!(span=> .implementing([#(#types),*]))
}

/// Each contract is a message.
///
/// As bounds on the impl they also refuse two messages that are each other's contract, whose descriptions would wait
/// for each other for ever. A bound with a parameter in it would be believed instead of checked; there the call of
/// `message_type` is the check.
pub(super) fn bounds<'a>(
    contracts: &'a [Path],
    generics: &'a Generics,
    root: &'a TokenStream,
) -> impl Iterator<Item = WherePredicate> + 'a {
    let message = quote_spanned!(Span::mixed_site()=> #root::Message);
    contracts
        .iter()
        .filter(|contract| !mentions_parameter(contract, generics))
        .map(move |contract| bound(contract, message.clone()))
}

/// `Order`, `self::Order` or `Self`, whatever its arguments: a message that contains itself never ends.
fn is_itself(contract: &Path, message: &Ident) -> bool {
    let mut segments = contract.segments.iter().map(|segment| &segment.ident).peekable();
    segments.next_if(|first| *first == "self");
    let first = segments.next();
    contract.leading_colon.is_none()
        && segments.next().is_none()
        && first.is_some_and(|first| first == message || first == "Self")
}

fn mentions_parameter(contract: &Path, generics: &Generics) -> bool {
    struct Mentions<'a>(&'a Generics, bool);
    impl<'ast> Visit<'ast> for Mentions<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.1 |= self.0.type_params().any(|parameter| parameter.ident == *ident);
        }
    }
    let mut mentions = Mentions(generics, false);
    mentions.visit_path(contract);
    mentions.1
}

/// The path as one writes it: tokens are printed with spaces between them.
fn spelled(path: &Path) -> String {
    path.to_token_stream().to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_message_is_recognised_in_its_own_list() {
        let message: Ident = parse_quote!(Order);
        let itself: [Path; 4] =
            [parse_quote!(Order), parse_quote!(self::Order), parse_quote!(Self), parse_quote!(Order<T>)];
        assert!(itself.iter().all(|path| is_itself(path, &message)));
        let others: [Path; 4] =
            [parse_quote!(OrderEvent), parse_quote!(other::Order), parse_quote!(::Order), parse_quote!(Wrapped<Order>)];
        assert!(!others.iter().any(|path| is_itself(path, &message)));
    }

    #[test]
    fn a_path_is_shown_as_it_was_written() {
        let path: Path = parse_quote!(crate::Pair<other::Line, Wrapped<T>>);
        assert_eq!(spelled(&path), "crate::Pair<other::Line, Wrapped<T>>");
        let generics: Generics = parse_quote!(<T>);
        assert!(mentions_parameter(&path, &generics));
        assert!(!mentions_parameter(&parse_quote!(Tea), &generics));
    }
}

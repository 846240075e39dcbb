//! `#[consumer]` on an `async fn`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, FnArg, ItemFn, Result, Type, spanned::Spanned};

use super::{
    arguments::{Argument, classify},
    auto,
    bounds::signature_bounds,
    handler::{output, typed},
    options::Options,
};
use crate::attributes::Problems;

/// The function as typed, and checks of its signature beside it.
pub(super) fn expand(function: &ItemFn, options: &Options, root: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    if let Some((setting, span)) = options.setting.filter(|_| options.auto.is_none()) {
        problems.add(span, no_effect(setting, function, options));
    }
    let checks = problems.keep(checks(function, root));
    let found = options.auto.filter(|_| checks.is_some()).map(|auto| auto::function(function, options, auto, root));
    let errors = problems.into_compile_error();
    quote! { #errors #function #checks #found }
}

/// Says how the settings are written where the function is registered.
fn no_effect(setting: &str, function: &ItemFn, options: &Options) -> String {
    let name = &function.sig.ident;
    let endpoint = options.endpoint.as_ref().map_or_else(|| name.to_string(), syn::LitStr::value);
    let number = |key: &str, number: Option<u16>| number.map(|number| format!(".{key}({number})")).unwrap_or_default();
    let concurrency = number("concurrency", options.concurrency);
    let prefetch = number("prefetch", options.prefetch);
    format!(
        "on a function without `auto`, `{setting}` has no effect: write it where the function is registered, \
         `.endpoint({endpoint:?}, |e| e.consumer({name}){concurrency}{prefetch})`, or let `.discover()` find it, \
         `#[consumer(auto, …)]`"
    )
}

fn checks(function: &ItemFn, root: &TokenStream) -> Result<TokenStream> {
    let signature = &function.sig;
    let name = &signature.ident;
    if let Some(receiver @ FnArg::Receiver(_)) = signature.inputs.first() {
        return Err(Error::new_spanned(
            receiver,
            "on a method, `#[consumer]` is `#[handle]`: write `#[consumer]` on the `impl` block",
        ));
    }
    if signature.asyncness.is_none() {
        return Err(Error::new(
            signature.fn_token.span(),
            format!("a consumer is asynchronous: write `async fn {name}`"),
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            "a consumer function is not generic: write a closure, or a struct with `#[consumer] impl`",
        ));
    }
    let (message, arguments) = classify(&typed(signature), signature.paren_token.span.close())?;
    let extractors: Result<Vec<Box<Type>>> = arguments
        .into_iter()
        .map(|argument| match argument {
            Argument::Extractor(extractor) => Ok(extractor),
            Argument::BorrowedContext(context) => {
                Err(Error::new_spanned(context, "a function takes `ctx: Context`, owned: remove the `&`"))
            }
        })
        .collect();
    let extractors = extractors?;
    let output = output(signature, "a consumer")?;
    let span = Span::mixed_site();
    let bounds = signature_bounds(&message, extractors.iter().map(|extractor| &**extractor), &output, root);
    let at_name = span.located_at(name.span());
    let mut function_name = name.clone();
    function_name.set_span(at_name);
    let arguments = signature.inputs.iter().map(|_| quote_spanned!(at_name=> any()));
    let call = quote_spanned!(at_name=> #function_name(#(#arguments),*));
    Ok(quote_spanned! {span=>
        #[allow(dead_code, unreachable_code, trivial_bounds, clippy::all, clippy::pedantic)]
        const _: () = {
            fn future<T: ::core::marker::Send>(_: T) {}
            fn any<T>() -> T {
                ::core::unreachable!()
            }
            fn check()
            where
                #(#bounds),*
            {
                future(#call);
            }
        };
    })
}

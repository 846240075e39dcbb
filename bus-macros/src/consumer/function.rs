//! `#[consumer]` on an `async fn`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, FnArg, ItemFn, Result, Type, spanned::Spanned};

use super::{
    arguments::{Argument, classify, hidden_parameter},
    handler::{output, typed},
    options::Options,
};
use crate::attributes::Problems;

/// The function as typed, and checks of its signature beside it.
pub(super) fn expand(function: &ItemFn, options: &Options, root: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    if let Some((setting, span)) = options.setting {
        problems.add(span, no_effect(setting, function));
    }
    let checks = problems.keep(checks(function, root));
    let errors = problems.into_compile_error();
    quote! { #errors #function #checks }
}

fn no_effect(setting: &str, function: &ItemFn) -> String {
    let name = &function.sig.ident;
    let example = if setting == "prefetch" { ".prefetch(32)" } else { ".concurrency(16)" };
    format!(
        "on a function `{setting}` has no effect: write it where the function is registered, \
         `.endpoint(\"orders\", |e| e.consumer({name}){example})`"
    )
}

fn checks(function: &ItemFn, root: &TokenStream) -> Result<TokenStream> {
    let signature = &function.sig;
    let name = &signature.ident;
    if let Some(receiver @ FnArg::Receiver(_)) = signature.inputs.first() {
        return Err(Error::new(
            receiver.span(),
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
        return Err(Error::new(
            signature.generics.span(),
            "a consumer function is not generic: write a closure, or a struct with `#[consumer] impl`",
        ));
    }
    let (message, arguments) = classify(&typed(signature), signature.paren_token.span.close())?;
    let extractors: Result<Vec<Box<Type>>> = arguments
        .into_iter()
        .map(|argument| match argument {
            Argument::Extractor(extractor) => Ok(extractor),
            Argument::BorrowedContext(span) => {
                Err(Error::new(span, "a function takes `ctx: Context`, owned: remove the `&`"))
            }
        })
        .collect();
    let extractors = extractors?;
    let output = output(signature, "a consumer")?;
    if let Some(span) = hidden_parameter(&output) {
        return Err(Error::new(span, "a consumer returns a type with a name: write `Result<(), Failure>`"));
    }
    let span = Span::mixed_site();
    let call = extractors.iter().map(|_| quote_spanned!(span=> any()));
    let conditions = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    Ok(quote_spanned! {span=>
        #(#conditions)*
        #[allow(dead_code, unreachable_code, clippy::all, clippy::pedantic)]
        const _: () = {
            fn message<T: #root::consumer::MessageArg>() {}
            fn extractor<T: #root::extract::Extract>() {}
            fn result<T: #root::consumer::HandlerResult>() {}
            fn future<T: ::core::marker::Send>(_: T) {}
            fn any<T>() -> T { ::core::unreachable!() }
            fn check() {
                message::<#message>();
                #(extractor::<#extractors>();)*
                result::<#output>();
                future(#name(any(), #(#call),*));
            }
        };
    })
}

//! `#[consumer]` on an `impl` block.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Error, Generics, ImplItem, ItemImpl, Lifetime, LitStr, Result, Type, parse_quote_spanned,
    spanned::Spanned, visit::Visit,
};

use super::{
    handler::{Handler, take_marker},
    options::Options,
};
use crate::attributes::Problems;

/// The block as typed, without its markers, and the impls beside it.
pub(super) fn expand(mut block: ItemImpl, options: &Options, root: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let handlers = handlers(&mut block, &mut problems);
    let generated = problems.keep(consumer_name(&block)).map(|name| {
        let generics = bounded(&block.generics, &block.self_ty);
        let consumers = handlers.iter().map(|handler| consumer(handler, &block.self_ty, &generics, root));
        let consumers: TokenStream = consumers.collect();
        let listed = listed(&handlers, &name, options, &block.self_ty, &generics, root);
        quote! { #consumers #listed }
    });
    let errors = problems.into_compile_error();
    quote! { #errors #block #generated }
}

/// Takes the markers off, and reads the methods that had one.
fn handlers(block: &mut ItemImpl, problems: &mut Problems) -> Vec<Handler> {
    let mut handlers: Vec<Handler> = Vec::new();
    let mut messages = HashSet::new();
    let mut marked = false;
    for item in &mut block.items {
        let Some(marker) = attributes(item).and_then(take_marker) else { continue };
        marked = true;
        let handler = marker.and_then(|marker| match item {
            ImplItem::Fn(method) => Handler::read(method),
            _ => Err(Error::new(marker, "`#[handle]` marks methods: write it on an `async fn`")),
        });
        let Some(handler) = problems.keep(handler) else { continue };
        // Under different conditions only one of the two may exist.
        let conditions = handler.conditions().iter().map(|condition| condition.to_token_stream().to_string());
        let message = handler.message.to_token_stream().to_string();
        if messages.insert((message.clone(), conditions.collect::<String>())) {
            handlers.push(handler);
        } else {
            problems.add(
                handler.message.span(),
                format!("`{message}` has a handler in this block already: call both from one handler, or write two consumers"),
            );
        }
    }
    if !marked {
        problems.add(
            block.self_ty.span(),
            "this consumer handles nothing: write `#[handle]` on the methods that take a message",
        );
    }
    handlers
}

fn attributes(item: &mut ImplItem) -> Option<&mut Vec<Attribute>> {
    match item {
        ImplItem::Const(item) => Some(&mut item.attrs),
        ImplItem::Fn(item) => Some(&mut item.attrs),
        ImplItem::Type(item) => Some(&mut item.attrs),
        ImplItem::Macro(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// The simple name of the consumer's type.
fn consumer_name(block: &ItemImpl) -> Result<String> {
    struct Borrowed(Option<Span>);
    impl<'ast> Visit<'ast> for Borrowed {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0 = self.0.or(Some(lifetime.span()));
            }
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            if reference.lifetime.is_none() {
                self.0 = self.0.or(Some(reference.span()));
            }
            syn::visit::visit_type_reference(self, reference);
        }
    }
    let mut borrowed = Borrowed(None);
    borrowed.visit_type(&block.self_ty);
    if let Some(span) = borrowed.0 {
        return Err(Error::new(span, "a consumer owns what it needs: replace the borrow by a value or an `Arc`"));
    }
    match &*block.self_ty {
        Type::Path(path) if path.qself.is_none() => Ok(path.path.segments.last().expect("a segment").ident.to_string()),
        other => Err(Error::new(other.span(), "a consumer is a struct of yours: write `impl Orders`")),
    }
}

/// The block's generics, which must leave the consumer fit to be shared between threads.
fn bounded(generics: &Generics, consumer: &Type) -> Generics {
    let mut bounded = generics.clone();
    if !generics.params.is_empty() {
        bounded.make_where_clause().predicates.push(parse_quote_spanned! {Span::mixed_site()=>
            #consumer: ::core::marker::Send + ::core::marker::Sync + 'static
        });
    }
    bounded
}

fn consumer(handler: &Handler, consumer: &Type, generics: &Generics, root: &TokenStream) -> TokenStream {
    let (message, functions, conditions) = (&handler.message, handler.functions(root), handler.conditions());
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        impl #impl_generics #root::consumer::Consumer<#message> for #consumer #where_clause {
            #functions
        }
    }
}

fn listed(
    handlers: &[Handler],
    name: &str,
    options: &Options,
    consumer: &Type,
    generics: &Generics,
    root: &TokenStream,
) -> TokenStream {
    let span = Span::mixed_site();
    let list = Ident::new(if handlers.is_empty() { "_list" } else { "list" }, span);
    let listings = handlers.iter().map(|handler| handler.listing(&list));
    let endpoint = optional(options.endpoint.as_ref().map(LitStr::value));
    let concurrency = optional(options.concurrency);
    let prefetch = optional(options.prefetch);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote_spanned! {span=>
        #[automatically_derived]
        impl #impl_generics #root::consumer::Handlers for #consumer #where_clause {
            const NAME: &'static str = #name;
            const SETTINGS: #root::consumer::ConsumerSettings = #root::consumer::ConsumerSettings {
                endpoint: #endpoint,
                concurrency: #concurrency,
                prefetch: #prefetch,
            };
            fn handlers(#list: &mut #root::consumer::HandlerList<Self>) {
                #(#listings)*
            }
        }
    }
}

fn optional(value: Option<impl ToTokens>) -> TokenStream {
    let span = Span::mixed_site();
    match value {
        Some(value) => quote_spanned!(span=> ::core::option::Option::Some(#value)),
        None => quote_spanned!(span=> ::core::option::Option::None),
    }
}

//! `#[consumer]` on an `impl` block.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Error, Generics, ImplItem, ItemImpl, Lifetime, Result, Type, TypeReference, WherePredicate,
    spanned::Spanned,
    visit::{Visit, visit_type_reference},
};

use super::{
    auto,
    bounds::shared,
    handler::{Handler, take_marker},
    options::Options,
};
use crate::attributes::Problems;

/// The block as typed, without its markers, and the impls beside it.
pub(super) fn expand(mut block: ItemImpl, options: &Options, root: &TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let handlers = handlers(&mut block, &mut problems);
    let generated = problems.keep(consumer_name(&block)).map(|name| {
        let consumers: TokenStream = handlers.iter().map(|handler| consumer(handler, &block, root)).collect();
        let listed = listed(&handlers, &name, options, &block, root);
        let found = options.auto.map(|auto| problems.keep(auto::block(&block, auto, root)));
        quote! { #consumers #listed #found }
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

/// Takes the markers off, of an item that is refused.
pub(super) fn take_markers(block: &mut ItemImpl) {
    block.items.iter_mut().filter_map(attributes).for_each(|attrs| {
        take_marker(attrs);
    });
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
    if let Some(borrow) = borrow(&block.self_ty) {
        return Err(Error::new_spanned(
            borrow,
            "a consumer owns what it needs: replace the borrow by a value or an `Arc`",
        ));
    }
    match &*block.self_ty {
        Type::Path(path) if path.qself.is_none() => Ok(path.path.segments.last().expect("a segment").ident.to_string()),
        other => Err(Error::new_spanned(other, "a consumer is a struct of yours: write `impl Orders`")),
    }
}

/// The first lifetime or reference that is not `'static`.
fn borrow(consumer: &Type) -> Option<TokenStream> {
    #[derive(Default)]
    struct Borrow(Option<TokenStream>);
    impl<'ast> Visit<'ast> for Borrow {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert_with(|| lifetime.to_token_stream());
            }
        }

        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.is_none() {
                self.0.get_or_insert_with(|| reference.to_token_stream());
            }
            visit_type_reference(self, reference);
        }
    }
    let mut borrow = Borrow::default();
    borrow.visit_type(consumer);
    borrow.0
}

/// The block's generics with further bounds.
fn bounded(block: &ItemImpl, bounds: impl IntoIterator<Item = WherePredicate>) -> Generics {
    let mut bounded = block.generics.clone();
    let clause = bounded.make_where_clause();
    clause.predicates.push(shared(&block.self_ty));
    clause.predicates.extend(bounds);
    bounded
}

fn consumer(handler: &Handler, block: &ItemImpl, root: &TokenStream) -> TokenStream {
    let (consumer, generics) = (&block.self_ty, bounded(block, handler.bounds(root)));
    let (message, functions, conditions) = (&handler.message, handler.functions(root), handler.conditions());
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    // Two handlers of one message, if the macro did not see that they are, are shown at the message.
    quote_spanned! {Span::mixed_site().located_at(message.span())=>
        #(#conditions)*
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::consumer::Consumer<#message> for #consumer #where_clause {
            #functions
        }
    }
}

fn listed(handlers: &[Handler], name: &str, options: &Options, block: &ItemImpl, root: &TokenStream) -> TokenStream {
    // Bounds without a parameter are checked where the handlers are. A bound cannot have a condition of its own.
    let is_generic = !block.generics.params.is_empty();
    let bounding = handlers.iter().filter(|handler| is_generic && handler.conditions().is_empty());
    let generics = bounded(block, bounding.flat_map(|handler| handler.bounds(root)));
    let consumer = &block.self_ty;
    let span = Span::mixed_site();
    let list = Ident::new(if handlers.is_empty() { "_list" } else { "list" }, span);
    let listings = handlers.iter().map(|handler| handler.listing(root, &list, is_generic));
    let settings = options.settings(root);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote_spanned! {span=>
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::consumer::Handlers for #consumer #where_clause {
            const NAME: &'static str = #name;
            const SETTINGS: #root::consumer::ConsumerSettings = #settings;
            fn handlers(#list: &mut #root::consumer::HandlerList<Self>) {
                #[allow(unused_imports)]
                use #root::consumer::{Listed as _, Unlisted as _};
                #(#listings)*
            }
        }
    }
}

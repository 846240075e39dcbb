//! `#[consumer]`.

mod arguments;
mod auto;
mod block;
mod bounds;
mod function;
mod handler;
mod options;

use options::Options;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, ImplItemFn, Item, ItemImpl, parse2};

use crate::root::root;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let options = Options::read(arguments);
    let parsed = match parse2::<Item>(item.clone()) {
        Ok(parsed) => parsed,
        // What is no Rust, or not yet, is best refused in the compiler's own words.
        Err(_) => return item,
    };
    let (options, problem) = match options {
        Ok(options) => (options, None),
        Err(error) => (Options::default(), Some(error.into_compile_error())),
    };
    let root = match root(options.root.as_ref(), "consumer") {
        Ok(root) => root,
        Err(error) => {
            let (error, item) = (error.into_compile_error(), unmarked(parsed));
            return quote! { #error #item };
        }
    };
    let expanded = match parsed {
        Item::Impl(block) if block.trait_.is_none() => block::expand(block, &options, &root),
        Item::Fn(function) => function::expand(&function, &options, &root),
        other => {
            let error = Error::new(place(&other), refusal(&other)).into_compile_error();
            let item = unmarked(other);
            quote! { #error #item }
        }
    };
    quote! { #problem #expanded }
}

/// `#[handle]` that no `#[consumer]` has taken off.
pub(crate) fn handle_alone(item: &TokenStream) -> TokenStream {
    let is_method = parse2::<ImplItemFn>(item.clone()).is_ok_and(|method| method.sig.receiver().is_some());
    let remedy = match is_method {
        true => "`#[handle]` marks the handlers of a consumer: write `#[consumer]` on the `impl` block around it",
        false => "`#[handle]` marks methods in a block with `#[consumer]`: on a function write `#[consumer]` instead",
    };
    let error = Error::new(Span::call_site(), remedy).into_compile_error();
    quote! { #error #item }
}

/// The item without `#[handle]`, which means nothing to the compiler.
fn unmarked(mut item: Item) -> Item {
    if let Item::Impl(block) = &mut item {
        block::take_markers(block);
    }
    item
}

fn refusal(item: &Item) -> &'static str {
    match item {
        Item::Impl(_) => "`#[consumer]` stands on the type's own `impl`: write `impl Orders`, without a trait",
        Item::Struct(_) | Item::Enum(_) => {
            "`#[consumer]` stands on the `impl` block that has the handlers, not on the type: move it there"
        }
        _ => "`#[consumer]` stands on an `impl` block or an `async fn`: move it there",
    }
}

/// The first word of the item; the attribute's own place would say less.
fn place(item: &Item) -> Span {
    match item {
        Item::Impl(ItemImpl { trait_: Some((path, _)), .. }) => syn::spanned::Spanned::span(path),
        Item::Struct(item) => item.ident.span(),
        Item::Enum(item) => item.ident.span(),
        _ => Span::call_site(),
    }
}

//! The macros of the bus.
use proc_macro::TokenStream;

/// Derives `Message`.
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Marks a consumer.
#[proc_macro_attribute]
pub fn consumer(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}

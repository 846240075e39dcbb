use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{LitStr, Path, Result, meta, parse::Parser};

use crate::attributes::{Key, Keys};

const KEYS: &[Key] = &[
    Key { name: "endpoint", example: "endpoint = \"orders\"" },
    Key { name: "concurrency", example: "concurrency = 16" },
    Key { name: "prefetch", example: "prefetch = 32" },
    Key { name: "auto", example: "auto" },
    Key { name: "crate", example: "crate = path::to::bus" },
];

/// What `#[consumer(…)]` says.
#[derive(Default)]
pub(super) struct Options {
    pub(super) endpoint: Option<LitStr>,
    pub(super) concurrency: Option<u16>,
    pub(super) prefetch: Option<u16>,
    /// Where `auto` stands.
    pub(super) auto: Option<Span>,
    pub(super) root: Option<Path>,
    /// The first key that says something about the endpoint, and where it stands.
    pub(super) setting: Option<(&'static str, Span)>,
}

impl Options {
    pub(super) fn read(arguments: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let mut keys = Keys::new("#[consumer]", KEYS);
        let read = meta::parser(|meta| {
            let key = keys.next(&meta)?;
            match key.name {
                "endpoint" => options.endpoint = Some(key.text(&meta)?),
                "concurrency" => options.concurrency = Some(key.count(&meta)?),
                "prefetch" => options.prefetch = Some(key.count(&meta)?),
                "auto" => options.auto = Some(key.alone(&meta)?),
                _ => options.root = Some(key.path(&meta)?),
            }
            Ok(())
        });
        read.parse2(arguments)?;
        options.setting = keys.first_of(&["endpoint", "concurrency", "prefetch"]);
        Ok(options)
    }

    /// The settings, as a `ConsumerSettings`.
    pub(super) fn settings(&self, root: &TokenStream) -> TokenStream {
        let endpoint = optional(self.endpoint.as_ref().map(LitStr::value));
        let concurrency = optional(self.concurrency);
        let prefetch = optional(self.prefetch);
        quote_spanned! {Span::mixed_site()=>
            #root::consumer::ConsumerSettings { endpoint: #endpoint, concurrency: #concurrency, prefetch: #prefetch }
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

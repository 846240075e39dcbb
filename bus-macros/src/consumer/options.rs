use proc_macro2::{Span, TokenStream};
use syn::{LitStr, Path, Result, meta, parse::Parser};

use crate::attributes::{Key, Keys};

const KEYS: &[Key] = &[
    Key { name: "endpoint", example: "endpoint = \"orders\"" },
    Key { name: "concurrency", example: "concurrency = 16" },
    Key { name: "prefetch", example: "prefetch = 32" },
    Key { name: "crate", example: "crate = path::to::bus" },
];

/// What `#[consumer(…)]` says.
#[derive(Default)]
pub(super) struct Options {
    pub(super) endpoint: Option<LitStr>,
    pub(super) concurrency: Option<u16>,
    pub(super) prefetch: Option<u16>,
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
                _ => options.root = Some(key.path(&meta)?),
            }
            Ok(())
        });
        read.parse2(arguments)?;
        options.setting = keys.first_of(&["endpoint", "concurrency", "prefetch"]);
        Ok(options)
    }
}

//! `#[derive(Message)]`.

mod contracts;
mod correlation;
mod description;
mod fields;
mod namespace;
mod options;
mod rename_rule;
mod serde_attributes;

use description::describe;
use namespace::Namespace;
use options::Options;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use serde_attributes::SerdeContainer;
use syn::{DeriveInput, GenericParam, Generics, Path, Result, parse_quote_spanned, spanned::Spanned};

use crate::{attributes::Problems, root::root};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    let options = problems.keep(Options::read(&input.attrs));
    let given = options.as_ref().and_then(|options| options.root.as_ref());
    let root = match root(given, "message") {
        Ok(root) => root,
        Err(error) => return error.into_compile_error(),
    };
    if let Err(error) = check_parameters(&input.generics) {
        return error.into_compile_error();
    }
    let members = options.as_ref().and_then(|options| members(input, options, &root, &mut problems));
    match (options, members) {
        (Some(options), Some(Members { watch, functions })) if problems.is_empty() => {
            let implementation = implementation(input, &root, &options.contracts, &functions);
            quote! { #watch #implementation }
        }
        _ => {
            // The type counts as a message all the same, so that its uses show no further errors.
            let errors = problems.into_compile_error();
            let message_type = message_type(&root, &quote_spanned!(Span::mixed_site()=> ::core::unreachable!()));
            let implementation = implementation(input, &root, &[], &message_type);
            quote! { #errors #implementation }
        }
    }
}

/// What stands in the `impl`, and beside it.
struct Members {
    watch: TokenStream,
    functions: TokenStream,
}

fn members(input: &DeriveInput, options: &Options, root: &TokenStream, problems: &mut Problems) -> Option<Members> {
    let container = SerdeContainer::read(&input.attrs);
    let fields = problems.keep(fields::named_fields(input))?;
    if container.transparent {
        problems.add(input.ident.span(), "a message is an object of its own: remove `#[serde(transparent)]`");
    }
    let wire_fields = fields::wire_fields(fields, &container);
    if !options.names_as_written && !container.writes_other_type {
        problems.keep(fields::check_names(&wire_fields, &container));
    }
    let correlated = problems.keep(correlation::correlated_field(options.correlate.as_ref(), fields, &wire_fields));
    let namespace = problems.keep(Namespace::find(options.namespace.as_ref(), &input.ident))?;
    let described = describe(input, &namespace.text, options, root, problems);
    let message_type = message_type(root, &described);
    let correlation_id = correlated?.map(correlation::getter);
    Some(Members { watch: namespace.watch, functions: quote! { #message_type #correlation_id } })
}

fn message_type(root: &TokenStream, body: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        fn message_type() -> &'static #root::MessageType {
            #body
        }
    }
}

fn implementation(input: &DeriveInput, root: &TokenStream, contracts: &[Path], functions: &TokenStream) -> TokenStream {
    let mut generics = input.generics.clone();
    let clause = generics.make_where_clause();
    for parameter in input.generics.type_params().map(|parameter| &parameter.ident) {
        clause.predicates.push(parse_quote_spanned!(parameter.span()=> #parameter: #root::Message));
    }
    clause.predicates.extend(contracts::bounds(contracts, &input.generics, root));
    let ident = &input.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(trivial_bounds)]
        impl #impl_generics #root::Message for #ident #type_generics #where_clause {
            #functions
        }
    }
}

/// The parameters of a generic message are messages: nothing else has a name on the wire.
fn check_parameters(generics: &Generics) -> Result<()> {
    for parameter in &generics.params {
        let why = match parameter {
            GenericParam::Type(_) => continue,
            GenericParam::Lifetime(_) => "a message owns its data: remove the lifetime",
            GenericParam::Const(_) => "a generic message's parameters are messages: a constant has no name on the wire",
        };
        return Err(syn::Error::new(parameter.span(), why));
    }
    Ok(())
}

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Field, FieldsNamed, GenericArgument, Ident, PathArguments, Result, Type, TypePath, spanned::Spanned};

use super::fields::WireField;

/// The field that carries the message's correlation id: the one named, else the one of MassTransit's convention.
pub(super) fn correlated_field<'a>(
    named: Option<&Ident>,
    fields: &'a FieldsNamed,
    wire_fields: &[WireField<'a>],
) -> Result<Option<&'a Field>> {
    if let Some(named) = named {
        let found = fields.named.iter().find(|field| field.ident.as_ref() == Some(named));
        return found.map(Some).ok_or_else(|| {
            Error::new(named.span(), format!("there is no field `{named}`: write the name of a field"))
        });
    }
    // `CorrelationId` where names are kept as written.
    let convention = ["correlationId", "CorrelationId", "eventId", "EventId", "commandId", "CommandId"];
    Ok(convention.iter().find_map(|name| {
        let found = wire_fields.iter().find(|field| field.wire.name == *name && is_id(&field.field.ty));
        found.map(|found| found.field)
    }))
}

/// `fn correlation_id` that returns the field. Its result is spelled like the field, so that the compiler
/// refuses a type that is no id where the user wrote it.
pub(super) fn getter(field: &Field) -> TokenStream {
    let span = Span::mixed_site();
    let (name, id) = (&field.ident, &field.ty);
    let (output, value) = match is_option(id) {
        true => (quote!(#id), quote_spanned!(span=> ::core::clone::Clone::clone(&self.#name))),
        false => (
            quote_spanned!(id.span()=> ::core::option::Option<#id>),
            quote_spanned!(span=> ::core::option::Option::Some(::core::clone::Clone::clone(&self.#name))),
        ),
    };
    quote_spanned! {span=>
        fn correlation_id(&self) -> #output {
            #value
        }
    }
}

/// Is this type spelled `Uuid`, `uuid::Uuid` or an `Option` of them?
fn is_id(spelled: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = spelled else {
        return false;
    };
    let Some(last) = path.segments.last() else {
        return false;
    };
    match &last.arguments {
        PathArguments::None => last.ident == "Uuid",
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            matches!(arguments.args.first(), Some(GenericArgument::Type(inner)) if !is_option(inner) && is_id(inner))
        }
        _ => false,
    }
}

fn is_option(spelled: &Type) -> bool {
    matches!(spelled, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn ids_are_recognised_by_their_spelling() {
        let check = |spelled: &str| is_id(&parse_str(spelled).unwrap());
        for id in ["Uuid", "uuid::Uuid", "::uuid::Uuid", "Option<Uuid>", "std::option::Option<uuid::Uuid>"] {
            assert!(check(id), "{id}");
        }
        for other in ["String", "OrderId", "Vec<Uuid>", "Option<Option<Uuid>>", "&'static Uuid", "[Uuid; 1]"] {
            assert!(!check(other), "{other}");
        }
    }
}

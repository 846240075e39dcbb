use syn::{Data, DeriveInput, Error, Field, Fields, FieldsNamed, Result, spanned::Spanned};

use super::{
    rename_rule::{RenameRule, is_camel_case},
    serde_attributes::{SerdeContainer, WireName},
};

/// A field that travels under a name of its own.
pub(super) struct WireField<'a> {
    pub(super) field: &'a Field,
    pub(super) wire: WireName,
}

/// The named fields of a message. What is not an object in JSON is refused.
pub(super) fn named_fields(input: &DeriveInput) -> Result<&FieldsNamed> {
    let name = &input.ident;
    let refused = |why: String| Err(Error::new(name.span(), why));
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields),
            Fields::Unit => refused(format!(
                "a message is an object, and serde writes a unit struct as `null`: write `struct {name} {{}}`"
            )),
            Fields::Unnamed(_) => {
                refused(format!("a message is a struct with named fields: write `struct {name} {{ … }}`"))
            }
        },
        Data::Enum(_) => refused(
            "a message is a struct with named fields, not an enum: put the enum into a field, or make each variant a \
             message of its own"
                .to_owned(),
        ),
        Data::Union(_) => refused("a message is a struct with named fields, not a union".to_owned()),
    }
}

/// The fields that are written, with their names on the wire.
pub(super) fn wire_fields<'a>(fields: &'a FieldsNamed, container: &SerdeContainer) -> Vec<WireField<'a>> {
    let wire = |field| WireName::of(field, container).map(|wire| WireField { field, wire });
    fields.named.iter().filter_map(wire).collect()
}

/// Refuses the first field whose name would not be camelCase.
pub(super) fn check_names(fields: &[WireField<'_>], container: &SerdeContainer) -> Result<()> {
    let mut wrong = fields.iter().filter(|field| !is_camel_case(&field.wire.name));
    let Some(WireField { field, wire }) = wrong.next() else {
        return Ok(());
    };
    let and_more = match wrong.count() {
        0 => String::new(),
        1 => " (and one more field)".to_owned(),
        more => format!(" (and {more} more fields)"),
    };
    let remedy = if wire.own || container.rename_all == RenameRule::Camel {
        let camel = RenameRule::Camel.apply(&wire.name.replace('-', "_"));
        format!("write `#[serde(rename = {camel:?})]` here")
    } else {
        "add `#[serde(rename_all = \"camelCase\")]` to the struct".to_owned()
    };
    Err(Error::new(
        field.ident.span(),
        format!(
            "this field{and_more} would be `{}` on the wire, where names are camelCase: {remedy}, or \
             `#[message(names = \"as_written\")]` on the struct to keep the names",
            wire.name
        ),
    ))
}

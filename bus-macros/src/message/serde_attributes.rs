use syn::{Attribute, Expr, Field, LitStr, Token, ext::IdentExt, meta::ParseNestedMeta, token};

use super::rename_rule::RenameRule;

/// What serde's attributes on the type say about names on the wire.
#[derive(Default)]
pub(super) struct SerdeContainer {
    pub(super) rename_all: RenameRule,
    /// `#[serde(into = "…")]`: another type is written, whose names this derive cannot see.
    pub(super) writes_other_type: bool,
    pub(super) transparent: bool,
}

impl SerdeContainer {
    pub(super) fn read(attrs: &[Attribute]) -> Self {
        let mut container = Self::default();
        each_key(attrs, |meta| {
            if meta.path.is_ident("rename_all") {
                if let Some(rule) = serialized_text(meta)? {
                    container.rename_all = RenameRule::named(&rule);
                }
            } else {
                container.writes_other_type |= meta.path.is_ident("into");
                container.transparent |= meta.path.is_ident("transparent");
                skip_value(meta)?;
            }
            Ok(())
        });
        container
    }
}

/// A field's name on the wire.
pub(super) struct WireName {
    pub(super) name: String,
    /// Given by `#[serde(rename = "…")]` on the field itself.
    pub(super) own: bool,
}

impl WireName {
    /// None if the field is not written, or not under a name of its own.
    pub(super) fn of(field: &Field, container: &SerdeContainer) -> Option<Self> {
        let mut renamed = None;
        let mut written = true;
        each_key(&field.attrs, |meta| {
            if meta.path.is_ident("rename") {
                renamed = serialized_text(meta)?.or(renamed.take());
            } else {
                written &= !["skip", "skip_serializing", "flatten"].iter().any(|key| meta.path.is_ident(key));
                skip_value(meta)?;
            }
            Ok(())
        });
        let own = renamed.is_some();
        let plain = || container.rename_all.apply(&field.ident.as_ref().expect("a named field").unraw().to_string());
        written.then(|| Self { name: renamed.unwrap_or_else(plain), own })
    }
}

/// Calls `read` for each key of `#[serde(…)]`. What does not parse is left for serde to refuse.
fn each_key(attrs: &[Attribute], mut read: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let _ = attr.parse_nested_meta(|meta| read(&meta));
    }
}

/// The text of `key = "text"`, or of `key(serialize = "text")`.
fn serialized_text(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        return Ok(Some(meta.value()?.parse::<LitStr>()?.value()));
    }
    let mut text = None;
    meta.parse_nested_meta(|side| {
        let value = side.value()?.parse::<LitStr>()?.value();
        if side.path.is_ident("serialize") {
            text = Some(value);
        }
        Ok(())
    })?;
    Ok(text)
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        meta.input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use syn::{ItemStruct, parse_quote};

    use super::*;

    #[test]
    fn names_on_the_wire_follow_the_serializing_side() {
        let item: ItemStruct = parse_quote! {
            #[serde(deny_unknown_fields, default = "made", bound(serialize = "T: Clone"))]
            #[serde(rename_all(serialize = "camelCase", deserialize = "snake_case"))]
            struct Order {
                order_id: Uuid,
                #[serde(alias = "x", rename = "total")]
                total_cents: i64,
                #[serde(rename(deserialize = "kind_of"), default)]
                r#type: String,
                #[serde(rename(serialize = "Note", deserialize = "note"))]
                note: String,
                #[serde(skip)]
                cache_key: String,
                #[serde(with = "hex", skip_serializing)]
                secret_key: String,
                #[serde(skip_serializing_if = "Option::is_none")]
                paid_at: Option<String>,
                #[serde(flatten)]
                rest_of_it: Rest,
            }
        };
        let container = SerdeContainer::read(&item.attrs);
        assert_eq!(container.rename_all, RenameRule::Camel);
        assert!(!container.writes_other_type && !container.transparent);
        let names: Vec<_> = item
            .fields
            .iter()
            .map(|field| WireName::of(field, &container).map(|wire| (wire.name, wire.own)))
            .map(|wire| wire.map_or("-".to_owned(), |(name, own)| if own { format!("{name}!") } else { name }))
            .collect();
        assert_eq!(names, ["orderId", "total!", "type", "Note!", "-", "-", "paidAt", "-"]);
    }
}

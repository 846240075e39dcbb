/// What serde's `rename_all` does to the name of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RenameRule {
    #[default]
    AsWritten,
    Upper,
    Pascal,
    Camel,
    Kebab,
    ScreamingKebab,
}

impl RenameRule {
    /// The rule of a `rename_all` text. One that serde does not know is serde's to refuse.
    pub(super) fn named(text: &str) -> Self {
        match text {
            "UPPERCASE" | "SCREAMING_SNAKE_CASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            // serde takes a field's name for snake case, and leaves it for `lowercase` too.
            _ => Self::AsWritten,
        }
    }

    pub(super) fn apply(self, field: &str) -> String {
        match self {
            Self::AsWritten => field.to_owned(),
            Self::Upper => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => {
                let pascal = pascal(field);
                let mut letters = pascal.chars();
                letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
            }
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    let mut capitalize = true;
    let mut pascal = String::new();
    for letter in field.chars() {
        if letter == '_' {
            capitalize = true;
        } else {
            pascal.push(if capitalize { letter.to_ascii_uppercase() } else { letter });
            capitalize = false;
        }
    }
    pascal
}

/// Is this a property name as System.Text.Json writes it: `orderId`?
pub(super) fn is_camel_case(name: &str) -> bool {
    let starts_low = name.chars().next().is_some_and(|first| first.is_alphabetic() && !first.is_uppercase());
    starts_low && !name.contains(['_', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_renamed_as_serde_renames_them() {
        let check = |rule: &str, expected: [&str; 3]| {
            let renamed = ["order_id", "customer", "_line_2"].map(|field| RenameRule::named(rule).apply(field));
            assert_eq!(renamed, expected, "{rule}");
        };
        check("lowercase", ["order_id", "customer", "_line_2"]);
        check("snake_case", ["order_id", "customer", "_line_2"]);
        check("UPPERCASE", ["ORDER_ID", "CUSTOMER", "_LINE_2"]);
        check("SCREAMING_SNAKE_CASE", ["ORDER_ID", "CUSTOMER", "_LINE_2"]);
        check("PascalCase", ["OrderId", "Customer", "Line2"]);
        check("camelCase", ["orderId", "customer", "line2"]);
        check("kebab-case", ["order-id", "customer", "-line-2"]);
        check("SCREAMING-KEBAB-CASE", ["ORDER-ID", "CUSTOMER", "-LINE-2"]);
    }

    #[test]
    fn camel_case_starts_low_and_has_no_separators() {
        for name in ["orderId", "customer", "ipAddress", "x2", "größe", "数量"] {
            assert!(is_camel_case(name), "{name}");
        }
        for name in ["OrderId", "order_id", "order-id", "_order", "Östlich", "2x", ""] {
            assert!(!is_camel_case(name), "{name}");
        }
    }
}

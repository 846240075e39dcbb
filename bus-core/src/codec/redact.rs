/// An error of serde's without the values it quotes: they are the payload's, and errors end in logs and headers. Where
/// it was stays: member names, line and column.
pub(crate) fn redact(error: serde_json::Error) -> serde_json::Error {
    if !error.is_data() {
        // About the text, and quotes nothing.
        return error;
    }
    let text = error.to_string();
    match without_value(&text) {
        Some(text) => serde::de::Error::custom(text),
        None => error,
    }
}

/// What serde, and our own values, write around a value: `invalid type: string "x", expected u32`, `unknown variant
/// `x`, expected …`, `invalid decimal `x`: it has no digits`.
fn without_value(text: &str) -> Option<String> {
    let kept = ["invalid type: ", "invalid value: "].iter().find_map(|lead| {
        let (value, expected) = text.strip_prefix(lead)?.rsplit_once(", expected ")?;
        let kind = value.split(['`', '"']).next().unwrap_or_default().trim_end();
        Some(format!("{lead}{kind}, expected {expected}"))
    });
    let unknown = || {
        ["unknown variant `", "unknown field `"].iter().find_map(|lead| {
            let rest = text.strip_prefix(lead)?;
            let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no "))?;
            Some(format!("{}{}", lead.trim_end_matches(" `"), &rest[end + 1..]))
        })
    };
    let invalid = || {
        let (kind, rest) = text.strip_prefix("invalid ")?.split_once(" `")?;
        let (_, why) = rest.rsplit_once("`: ")?;
        Some(format!("invalid {kind}: {why}"))
    };
    let no_value = || {
        let (name, rest) = text.split_once("` has no value ")?;
        let place = rest.split_once(' ').map_or(String::new(), |(_, place)| format!(" {place}"));
        Some(format!("{name}` has no such value{place}"))
    };
    kept.or_else(unknown).or_else(invalid).or_else(no_value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Card {
        number: u32,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only read")]
    enum Kind {
        Debit,
    }

    #[test]
    fn an_error_says_what_is_wrong_and_where_without_the_value() {
        for (json, expected) in [
            (r#"{"number":"SECRET, expected SECRET"}"#, "invalid type: string, expected u32"),
            (r#"{"number":-981}"#, "invalid value: integer, expected u32"),
            (r#"{"number":981.5}"#, "invalid type: floating point, expected u32"),
            (r#"{"number":true}"#, "invalid type: boolean, expected u32"),
            (r#"{"number":[]}"#, "invalid type: sequence, expected u32"),
            (r#"{"number":1,"kind":"SECRET"}"#, "unknown variant, expected `Debit`"),
            (r#"{"SECRET":1}"#, "unknown field, expected `number` or `kind`"),
            (r#"{"kind":null}"#, "missing field `number`"),
            (r#""SECRET""#, "invalid type: string, expected struct Card"),
        ] {
            let error = redact(serde_json::from_str::<Card>(json).unwrap_err());
            assert!(error.column() > 0);
            assert_eq!(error.to_string(), format!("{expected} at line 1 column {}", error.column()));
            assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
        }
        for (text, expected) in [
            (
                "invalid decimal `SECRET`: it has no digits at line 1 column 3",
                "invalid decimal: it has no digits at line 1 column 3",
            ),
            ("`Color` has no value 981 at line 1 column 3", "`Color` has no such value at line 1 column 3"),
        ] {
            assert_eq!(without_value(text).as_deref(), Some(expected));
        }
    }
}

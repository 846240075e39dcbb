use std::{fmt, sync::Arc};

/// What a source said, before anybody knows what it means; every key and value knows where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// JSON's `null`: as if it were not there.
    Nothing,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// The value of a variable, which is a text until the field says what it wants.
    Untyped(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys and their values, in the order in which they were found.
pub(crate) type Table = Vec<(Key, Node)>;

/// A key, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
    /// From a variable's name, which has neither case nor `-`: compared by letters and digits alone.
    pub(crate) loose: bool,
}

impl Key {
    /// Whether it is the name of something of the program's, such as an endpoint.
    pub(crate) fn names(&self, name: &str) -> bool {
        !name.is_empty() && if self.loose { letters(&self.text).eq(letters(name)) } else { self.text == name }
    }
}

/// What is left of a name in a variable's name.
fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Where something is written: `bus.toml:7:1`, or the name of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    source: Arc<str>,
    /// Line and column, from 1; the column counts characters.
    at: Option<(usize, usize)>,
}

impl Place {
    /// The source as a whole.
    pub(crate) fn whole(source: &Arc<str>) -> Self {
        Self { source: source.clone(), at: None }
    }

    /// The byte `offset` of a text.
    pub(crate) fn in_text(source: &Arc<str>, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or(before);
        Self::at(source, before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    pub(crate) fn at(source: &Arc<str>, line: usize, column: usize) -> Self {
        Self { source: source.clone(), at: Some((line, column)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_a_column_of_characters() {
        let source: Arc<str> = "bus.toml".into();
        let text = "a = 1\n\u{e4}\u{f6} = 2\n";
        let shown = |offset| Place::in_text(&source, text, offset).to_string();
        assert_eq!(shown(0), "bus.toml:1:1");
        assert_eq!(shown(5), "bus.toml:1:6");
        assert_eq!(shown(6), "bus.toml:2:1");
        assert_eq!(shown(text.find('2').unwrap()), "bus.toml:2:6");
        assert_eq!(shown(text.len()), "bus.toml:3:1");
        assert_eq!(Place::whole(&source).to_string(), "bus.toml");
    }

    #[test]
    fn a_name_in_a_variable_is_compared_by_letters_and_digits() {
        let place = Place::whole(&"BUS__X".into());
        let key = |text: &str, loose| Key { text: text.to_owned(), place: place.clone(), loose };
        for name in ["order-submitted", "order.submitted", "OrderSubmitted", "ordersubmitted_"] {
            assert!(key("order_submitted", true).names(name), "{name}");
            assert!(!key("order_submitted", false).names(name), "{name}");
        }
        assert!(!key("order_submitted", true).names("order-submitted-2"));
        assert!(key("order_submitted", false).names("order_submitted"));
    }
}

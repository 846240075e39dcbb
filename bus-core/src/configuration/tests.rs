use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{tree::Key, *};

/// What was read, without the places.
fn plain(table: &Table) -> Json {
    fn value(node: &Node) -> Json {
        match &node.value {
            Value::Nothing => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Integer(number) => json!(number),
            Value::Float(number) => json!(number),
            Value::Text(text) | Value::Untyped(text) => json!(text),
            Value::List(list) => list.iter().map(value).collect(),
            Value::Table(table) => plain(table),
        }
    }
    Json::Object(table.iter().map(|(Key { text, .. }, node)| (text.clone(), value(node))).collect())
}

/// A table as TOML writes it: JSON's texts and numbers are TOML's too.
fn toml(json: &Json) -> String {
    match json {
        Json::Object(table) => {
            let entries: Vec<_> =
                table.iter().map(|(key, value)| format!("{} = {}", json!(key), toml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Json::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn trees() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|number| json!(number)),
        (-1e12..1e12).prop_map(|number: f64| json!(number)),
        "[ -~äß\"\\\\\n\t]{0,8}".prop_map(|text| json!(text)),
    ];
    let inner = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::btree_map("[a-z \"-]{1,6}", inner, 0..4)
                .prop_map(|table| Json::Object(table.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z]{1,6}", inner, 0..5).prop_map(|table| Json::Object(table.into_iter().collect()))
}

proptest! {
    #[test]
    fn toml_json_and_serde_read_the_same(tree in trees()) {
        let Json::Object(table) = &tree else { unreachable!("a table") };
        let lines: Vec<_> = table.iter().map(|(key, value)| format!("{} = {}", json!(key), toml(value))).collect();
        let embedded: Configuration = serde_json::from_value(tree.clone()).unwrap();
        for read in [
            Configuration::from_toml(&lines.join("\n")),
            Configuration::from_json(&tree.to_string()),
            Configuration::from_json(&format!("{tree:#}")),
            embedded,
        ] {
            prop_assert_eq!(&read.problems, &[]);
            prop_assert_eq!(plain(&read.root), tree.clone());
        }
    }

    #[test]
    fn variables_are_read_the_same_in_any_order(
        variables in prop::collection::vec(("(BUS__|BUS_)[A-B]{1,2}(__[A-B]{1,2}){0,2}", "[a-c]"), 0..8).prop_shuffle(),
    ) {
        let mut turned = variables.clone();
        turned.reverse();
        let (one, other) = (Configuration::from_variables(variables), Configuration::from_variables(turned));
        prop_assert_eq!(one.root, other.root);
        prop_assert_eq!(one.problems, other.problems);
    }

    #[test]
    fn no_text_is_too_strange_to_be_read(text in "\\PC{0,40}|[\\[\\]{}=\".,:0-9a-c\n ]{0,40}") {
        for configuration in [Configuration::from_toml(&text), Configuration::from_json(&text)] {
            prop_assert!(configuration.problems.len() <= 1);
            prop_assert!(configuration.problems.is_empty() || configuration.root.is_empty());
        }
    }
}

fn told(configuration: &Configuration) -> Vec<String> {
    configuration.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let nested = |levels: usize| format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(told(&Configuration::from_json(&nested(63))), [""; 0]);
    let refused = told(&Configuration::from_json(&nested(100_000)));
    assert_eq!(refused, ["this is no JSON: it is nested deeper than 64 levels --> JSON"]);
    let text = nested(100_000).replace('"', "").replacen(':', "=", 1);
    assert_eq!(Configuration::from_toml(&text[1..text.len() - 1]).problems.len(), 1);
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let json = told(&Configuration::from_json(r#"{"a": {"b": 1, "b": 2}}"#));
    assert_eq!(json, ["this is no JSON: the key `b` is there twice --> JSON"]);
    let toml = told(&Configuration::from_toml("a.b = 1\na.b = 2"));
    assert_eq!(toml, ["this is no TOML: duplicate key --> TOML:2:3"]);
    let variables = told(&Configuration::from_variables([("BUS__A__B", "1"), ("BUS__a__b", "2")]));
    assert_eq!(variables, ["another variable says the same, or a part of it: keep one --> BUS__a__b"]);
}

#[test]
fn nothing_that_is_written_is_in_what_is_debugged() {
    let configuration = Configuration::from_toml("token = 'secret'");
    assert_eq!(format!("{configuration:?}"), "Configuration { layer: File, problems: [], .. }");
}

#[test]
fn the_page_about_the_configuration_names_every_key() {
    let page = include_str!("../../../docs/configuration.md");
    for key in settings::keys() {
        assert!(page.contains(&format!("`{key}`")), "docs/configuration.md says nothing about `{key}`");
    }
}

//! Exchanges, queues and bindings as values by name, from the capture and from the broker.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use xtask::rabbitmq::VirtualHost;

/// Such as ``queue `orders` `` with what it was declared with.
pub(crate) type Entities = BTreeMap<String, Value>;

/// What the capture shows, without what is named: entities, and bindings from or to them. Arguments are
/// `{"t": type, "v": value}` there.
pub(crate) fn captured(file: &str, left_out: &[&str]) -> Entities {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masstransit").join(file);
    let capture: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let rows = |what: &str| capture[what].as_array().unwrap().clone();
    for name in left_out {
        let known = rows("exchanges").iter().chain(&rows("queues")).any(|row| row["name"] == *name);
        assert!(known, "{name} is left out, and not in {file}");
    }
    let stays = |name: &Value| !left_out.contains(&name.as_str().unwrap());
    let mut entities = Entities::new();
    for row in rows("exchanges").iter().filter(|row| stays(&row["name"])) {
        entities.extend([exchange(row)]);
    }
    for row in rows("queues").iter().filter(|row| stays(&row["name"])) {
        entities.extend([queue(row)]);
    }
    let bindings = rows("bindings");
    for row in bindings.iter().filter(|row| stays(&row["source_name"]) && stays(&row["destination_name"])) {
        entities.extend([binding(row, "source_name", "destination_kind", "destination_name")]);
    }
    entities
}

/// What the broker has. Names are passed through `rename` first: the capture's generated ones are not ours.
pub(crate) fn present(place: &VirtualHost, rename: impl Fn(&str) -> String) -> Entities {
    let rows = |what: &str| {
        let (status, body) = place.management().call("GET", &format!("/api/{what}/{}", place.name()), "");
        assert_eq!(status, 200, "{what}: {body}");
        let rows: Vec<Value> = serde_json::from_str(&rename(&body)).unwrap();
        rows
    };
    let mut entities = Entities::new();
    // The broker's own: the default one, and what begins with `amq.`.
    let own = |name: &Value| name == "" || name.as_str().unwrap().starts_with("amq.");
    entities.extend(rows("exchanges").iter().filter(|row| !own(&row["name"])).map(exchange));
    entities.extend(rows("queues").iter().map(queue));
    let bindings = rows("bindings");
    let bindings = bindings.iter().filter(|row| row["source"] != "");
    entities.extend(bindings.map(|row| binding(row, "source", "destination_type", "destination")));
    entities
}

/// A sentence for each difference.
pub(crate) fn compare(expected: &Entities, present: &Entities) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, expected) in expected {
        let expected = &untyped(expected);
        match present.get(name) {
            Some(present) if present == expected => {}
            Some(present) => differences.push(format!("{name}: expected {expected}, is {present}")),
            None => differences.push(format!("{name} is missing")),
        }
    }
    let surplus = present.keys().filter(|name| !expected.contains_key(*name));
    differences.extend(surplus.map(|name| format!("{name} is too much")));
    differences
}

fn exchange(row: &Value) -> (String, Value) {
    let name = format!("exchange `{}`", row["name"].as_str().unwrap());
    (name, pick(row, &["type", "durable", "auto_delete", "internal", "arguments"]))
}

fn queue(row: &Value) -> (String, Value) {
    let name = format!("queue `{}`", row["name"].as_str().unwrap());
    (name, pick(row, &["durable", "auto_delete", "exclusive", "arguments"]))
}

fn binding(row: &Value, source: &str, kind: &str, destination: &str) -> (String, Value) {
    let text = |field: &str| row[field].as_str().unwrap();
    let (kind, key) = (text(kind), text("routing_key"));
    let name = format!("binding `{}` to {kind} `{}` with `{key}`", text(source), text(destination));
    (name, pick(row, &["arguments"]))
}

fn pick(row: &Value, fields: &[&str]) -> Value {
    fields.iter().map(|field| ((*field).to_owned(), row[*field].clone())).collect()
}

/// The API tells the values of arguments, and not their types.
fn untyped(entity: &Value) -> Value {
    let mut entity = entity.clone();
    let arguments = entity["arguments"].as_object().unwrap().iter();
    let arguments: Value = arguments.map(|(name, argument)| (name.clone(), argument["v"].clone())).collect();
    entity["arguments"] = json!(arguments);
    entity
}

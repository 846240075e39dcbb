use std::ffi::{OsStr, OsString};

use crate::{
    bus::Problem,
    configuration::tree::{Key, Node, Place, Table, Value},
};

/// What the names of our variables begin with. `BUS_URL` and the like have one `_`, and are nobody's here.
const PREFIX: &str = "BUS__";

/// A table of the variables that are ours: `BUS__ENDPOINTS__ORDERS__PREFETCH` is the key `prefetch` in the table
/// `orders` in the table `endpoints`.
pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>, problems: &mut Vec<Problem>) -> Table {
    let mut ours: Vec<_> = variables.filter(|(name, _)| is_ours(name)).collect();
    // The order of an environment is nobody's wish.
    ours.sort();
    let mut root = Table::new();
    for (name, value) in ours {
        let name = name.to_string_lossy();
        match value.into_string() {
            Ok(value) => problems.extend(add(&mut root, &name, value).err()),
            Err(_) => problems.push(Problem::configured("its value is not UTF-8", &name)),
        }
    }
    root
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn add(mut table: &mut Table, name: &str, value: String) -> Result<(), Problem> {
    let place = Place::whole(&name.into());
    let path = name.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
    let mut steps: Vec<&str> = path.split("__").collect();
    if steps.contains(&"") {
        let text = format!("a part of its name is empty: write it as `{PREFIX}ENDPOINTS__ORDERS__PREFETCH`");
        return Err(Problem::configured(text, &name));
    }
    let last = steps.pop().unwrap_or_default();
    let key = |text: &str| Key { text: text.to_owned(), place: place.clone(), loose: true };
    for step in steps {
        let found = table.iter().position(|(key, _)| key.text == step);
        let at = found.unwrap_or_else(|| {
            table.push((key(step), Node { value: Value::Table(Table::new()), place: place.clone() }));
            table.len() - 1
        });
        match &mut table[at].1 {
            Node { value: Value::Table(inner), .. } => table = inner,
            Node { place: whole, .. } => {
                let text = format!("`{whole}` says all of `{step}` already: keep one");
                return Err(Problem::configured(text, &name));
            }
        }
    }
    if table.iter().any(|(key, _)| key.text == last) {
        return Err(Problem::configured("another variable says the same, or a part of it: keep one", &name));
    }
    table.push((key(last), Node { value: Value::Untyped(value), place: place.clone() }));
    Ok(())
}

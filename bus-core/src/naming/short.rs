/// A type's or handler's name as people say it: `Orders::submit` of `shop::orders::Orders::submit`, `audit` of a
/// function, `a closure` of one; the same within `<..>`.
pub(crate) fn short_name(name: &str) -> String {
    if name.ends_with("{{closure}}") {
        return "a closure".to_owned();
    }
    let in_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '{' | '}' | '#');
    let mut short = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !in_path(c)).unwrap_or(rest.len());
        if end == 0 {
            short.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            short.push_str(last_of_path(&rest[..end]));
            rest = &rest[end..];
        }
    }
    short
}

/// The last part, and the one before it if that is a type; all of what follows on `..>`.
fn last_of_path(path: &str) -> &str {
    let Some(last) = path.rfind("::").filter(|_| !path.starts_with("::")) else { return path };
    let before = path[..last].rfind("::").map_or(0, |at| at + 2);
    match &path[last + 2..] {
        "{{closure}}" => "closure",
        _ if path[before..].starts_with(char::is_uppercase) => &path[before..],
        last => last,
    }
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn names_lose_their_modules_and_keep_their_types() {
        for (name, short) in [
            ("shop::orders::Orders::submit", "Orders::submit"),
            ("shop::orders::Orders", "Orders"),
            ("shop::audit", "audit"),
            ("audit", "audit"),
            ("shop::main::{{closure}}", "a closure"),
            ("shop::Orders<shop::db::Pool>::submit", "Orders<Pool>::submit"),
            ("shop::main::{{closure}}::Local", "Local"),
            ("shop::Logged<shop::main::{{closure}}>", "Logged<closure>"),
            ("fn(shop::Ping) -> core::future::Ready<()>", "fn(Ping) -> Ready<()>"),
            ("&alloc::string::String", "&String"),
            ("", ""),
        ] {
            assert_eq!(short_name(name), short);
        }
    }
}

/// Whether a topic exchange's pattern takes a routing key: words between dots, `*` is one word, `#` any
/// number of them (AMQP 0-9-1, section 3.1.3.3).
pub(super) fn matches(pattern: &str, key: &str) -> bool {
    let key: Vec<&str> = if key.is_empty() { Vec::new() } else { key.split('.').collect() };
    // Which numbers of words of the key the pattern so far can have taken.
    let mut taken = vec![false; key.len() + 1];
    taken[0] = true;
    for part in pattern.split('.').filter(|part| !part.is_empty() || !pattern.is_empty()) {
        let mut next = vec![false; key.len() + 1];
        for (words, _) in taken.iter().enumerate().filter(|(_, can)| **can) {
            match part {
                "#" => next[words..].fill(true),
                _ if words < key.len() && (part == "*" || part == key[words]) => next[words + 1] = true,
                _ => {}
            }
        }
        taken = next;
    }
    taken[key.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_take_words_and_any_number_of_them() {
        for (pattern, key, expected) in [
            ("", "", true),
            ("", "a", false),
            ("#", "", true),
            ("#", "a.b.c", true),
            ("eu.*", "eu.west", true),
            ("eu.*", "eu", false),
            ("eu.*", "eu.west.1", false),
            ("*.west", "eu.west", true),
            ("eu.#", "eu", true),
            ("eu.#", "eu.west.1", true),
            ("#.1", "eu.west.1", true),
            ("a.#.z", "a.z", true),
            ("a.#.z", "a.b.c.z", true),
            ("a.#.z", "a.b.c", false),
            ("*", "", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }
}

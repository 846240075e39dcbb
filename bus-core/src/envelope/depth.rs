/// How deep a body may be nested: the limit of .NET's reader.
pub(crate) const DEPTH: usize = 64;

/// Whether objects and lists stand in each other deeper than the limit. A body with few of them, which is
/// nearly every one, is not looked at twice.
pub(crate) fn is_deep(json: &[u8]) -> bool {
    if memchr::memchr2_iter(b'{', b'[', json).nth(DEPTH).is_none() {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

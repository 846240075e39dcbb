use crate::address::SCHEME;

/// What the broker's URL says: `memory://shop?seed=42`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BrokerUrl<'a> {
    pub(crate) name: &'a str,
    /// What the broker's order follows from, if it has none of its own.
    pub(crate) seed: Option<u64>,
}

/// Reads it. The error never quotes the URL: somebody may have put credentials there.
pub(crate) fn parse(url: &str) -> Result<BrokerUrl<'_>, String> {
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => return Err("it begins with `memory://`, such as `memory://shop`".to_owned()),
    };
    let (name, seed) = match rest.split_once('?') {
        Some((name, query)) => (name, Some(seed(query)?)),
        None => (rest, None),
    };
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() {
        return Err("the broker's name is missing: write for example `memory://shop`".to_owned());
    }
    if let Some(wrong) = name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        return Err(format!(
            "`{wrong}` cannot be in a broker's name, which has letters, digits, `-`, `_` and `.`: write for example \
             `memory://shop`"
        ));
    }
    Ok(BrokerUrl { name, seed })
}

fn seed(query: &str) -> Result<u64, String> {
    let number = query.strip_prefix("seed=").and_then(|number| number.parse().ok());
    number.ok_or_else(|| {
        "behind the name there can be a seed, a number from 0 to 18446744073709551615, and nothing else: write for \
         example `memory://shop?seed=42`"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_name_and_perhaps_a_seed() {
        let check = |url: &str, name: &str, seed: Option<u64>| {
            assert_eq!(parse(url), Ok(BrokerUrl { name, seed }), "{url}");
        };
        check("memory://shop", "shop", None);
        check("memory://shop/", "shop", None);
        check("MEMORY://web.shop-1_b", "web.shop-1_b", None);
        check("memory://shop?seed=42", "shop", Some(42));
        check("memory://shop/?seed=18446744073709551615", "shop", Some(u64::MAX));
    }

    #[test]
    fn a_url_that_says_anything_else_is_refused_with_what_to_write() {
        let check = |url: &str, expected: &str| {
            let reason = parse(url).unwrap_err();
            assert!(reason.starts_with(expected), "{url}: {reason}");
        };
        check("memory://", "the broker's name is missing: write for example `memory://shop`");
        check("memory:///", "the broker's name is missing: write for example `memory://shop`");
        check("memory://?seed=1", "the broker's name is missing: write for example `memory://shop`");
        check("memory:shop", "it begins with `memory://`, such as `memory://shop`");
        check("amqp://shop", "it begins with `memory://`, such as `memory://shop`");
        check("memory://u:p@shop", "`:` cannot");
        check("memory://shop/live", "`/` cannot");
        for query in ["x=1", "", "seed=", "seed=-1", "seed=1&seed=2", "seed=18446744073709551616"] {
            check(&format!("memory://shop?{query}"), "behind the name there can be a seed");
        }
    }
}

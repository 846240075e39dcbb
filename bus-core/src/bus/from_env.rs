use std::ffi::OsString;

use super::{Builder, Catalog};

/// Where the URL stands.
const VARIABLE: &str = "BUS_URL";

impl Builder {
    /// A bus at the URL in the environment variable `BUS_URL`. If there is none, `build()` says so, together with all
    /// other mistakes.
    ///
    /// ```
    /// # use bus_core::{Builder, bus::Catalog};
    /// let builder = Builder::from_env(Catalog::default());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_env(catalog: Catalog) -> Self {
        Self::from_lookup(|variable| std::env::var_os(variable), catalog)
    }

    #[track_caller]
    fn from_lookup(lookup: impl FnOnce(&str) -> Option<OsString>, catalog: Catalog) -> Self {
        let url = match lookup(VARIABLE).map(OsString::into_string) {
            None => Err(format!("the environment variable `{VARIABLE}` is not set: {EXAMPLE}")),
            Some(Ok(url)) if url.trim().is_empty() => {
                Err(format!("the environment variable `{VARIABLE}` is empty: {EXAMPLE}"))
            }
            Some(Ok(url)) => Ok(url),
            // What it is instead may be a password.
            Some(Err(_)) => Err(format!("the environment variable `{VARIABLE}` is not UTF-8: {EXAMPLE}")),
        };
        Self::at(url, catalog)
    }
}

const EXAMPLE: &str = "set it to a URL such as `BUS_URL=amqp://user:password@host/vhost` or `BUS_URL=memory://shop`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn said(value: Option<&str>) -> Vec<String> {
        let builder =
            Builder::from_lookup(|name| value.filter(|_| name == "BUS_URL").map(Into::into), Catalog::default());
        let Err(Error::Build(error)) = builder.endpoint("empty", |e| e).build() else { panic!("nothing is wrong") };
        error.problems().iter().map(|problem| problem.text.clone()).collect()
    }

    #[test]
    fn the_url_is_read_and_a_missing_one_is_told_beside_everything_else() {
        for (value, expected) in [
            (None, "the environment variable `BUS_URL` is not set: set it to a URL such as `BUS_URL=amqp://"),
            (Some(""), "the environment variable `BUS_URL` is empty: set it"),
            (Some(" "), "the environment variable `BUS_URL` is empty: set it"),
            (Some("pigeon://loft"), "no transport handles scheme `pigeon://`"),
        ] {
            let problems = said(value);
            assert!(problems[0].starts_with(expected), "{problems:?}");
            assert!(problems[1].starts_with("it has no consumer"), "{problems:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_url_that_is_no_text_is_told_without_showing_it() {
        use std::os::unix::ffi::OsStringExt;

        let broken = OsString::from_vec(b"amqp://u:secret\xff@h".to_vec());
        let built = Builder::from_lookup(|_| Some(broken), Catalog::default()).build();
        let said = built.unwrap_err().to_string();
        assert!(said.contains("`BUS_URL` is not UTF-8") && !said.contains("secret"), "{said}");
    }
}

//! What users read when a message or a consumer is not written right: each file of `ui` but `pass` fails with exactly
//! the text beside it, its first line says which mistake it is; each file of `ui/pass` compiles and runs.
//!
//! The mistake that shows without the feature `discover`, and the one without the dependency on serde, are crates of
//! their own: `tests/fixtures` of the facade.
//!
//! `TRYBUILD=overwrite cargo test -p bus-core --all-features --test compile_fail` writes the texts anew: read them
//! before keeping them.

#[test]
fn errors_say_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/message/*.rs");
    cases.compile_fail("tests/ui/consumer/*.rs");
    #[cfg(feature = "discover")]
    cases.compile_fail("tests/ui/discover/*.rs");
    #[cfg(feature = "tower")]
    cases.compile_fail("tests/ui/tower/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}

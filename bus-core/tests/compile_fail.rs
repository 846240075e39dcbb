//! What users read when a message or a consumer is not written right: each file of `ui/message` and `ui/consumer`
//! fails with exactly the text beside it; each file of `ui/pass` compiles and runs.
//!
//! `TRYBUILD=overwrite cargo test -p bus-core --test compile_fail` writes the texts anew: read them before keeping them.

#[test]
fn errors_say_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/message/*.rs");
    cases.compile_fail("tests/ui/consumer/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}

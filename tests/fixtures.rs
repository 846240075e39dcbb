//! Crates as users have them, each in `fixtures/` with a manifest and features of its own: the bus under another name,
//! bus-core alone, a crate of contracts. They are built with the versions that this workspace is locked to, offline:
//! what they need, these tests needed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

/// Copies the fixtures beside the build, and runs cargo on one of them. One at a time: all of them are the same files.
fn cargo(fixture: &str, arguments: &[&str]) -> Output {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let crates = Path::new(TARGET).join("fixtures");
    for name in ["contracts", "core_only", "renamed", "without_serde"] {
        copy(&Path::new(ROOT).join("tests/fixtures").join(name), &crates.join(name));
    }
    let directory = crates.join(fixture);
    fs::copy(Path::new(ROOT).join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).arg("--offline").current_dir(directory);
    // As this workspace builds them, so that most of what they depend on is there already.
    command.args(["--config", "profile.dev.debug=\"line-tables-only\""]);
    command.args(["--config", "profile.dev.package.\"*\".debug=false"]);
    command.env("CARGO_TARGET_DIR", Path::new(TARGET).parent().unwrap());
    command.output().unwrap()
}

/// Copies a crate; its manifest says where the bus is.
fn copy(from: &Path, to: &Path) {
    let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
    let bus = format!("path = {:?}", Path::new(ROOT));
    let manifest = manifest
        .replace("path = \"../../../bus-core\"", &format!("path = {:?}", Path::new(ROOT).join("bus-core")))
        .replace("path = \"../../..\"", &bus);
    write(&to.join("Cargo.toml"), &manifest);
    let source = |file: fs::DirEntry| (file.file_name(), fs::read_to_string(file.path()).unwrap());
    for (name, text) in fs::read_dir(from.join("src")).unwrap().map(|file| source(file.unwrap())) {
        write(&to.join("src").join(name), &text);
    }
}

/// Leaves a file alone that is so already: cargo goes by its time.
fn write(file: &PathBuf, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    if fs::read_to_string(file).ok().as_deref() != Some(text) {
        fs::write(file, text).unwrap();
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// What it printed.
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stderr), text(&output.stdout));
    text(&output.stdout)
}

#[test]
fn the_bus_works_under_another_name() {
    let printed = succeeds(&cargo("renamed", &["run", "--quiet"]));
    expect_test::expect![[r#"
        audit consumes OrderEvent (audit)
        orders consumes SubmitOrder (Orders::submit)
    "#]]
    .assert_eq(&printed);
}

#[cfg(feature = "discover")]
#[test]
fn consumers_are_found_under_another_name() {
    let printed = succeeds(&cargo("renamed", &["run", "--quiet", "--features", "auto"]));
    expect_test::expect![[r#"
        audit consumes OrderEvent (audit)
        orders consumes SubmitOrder (Orders::submit)
        send-receipt consumes OrderSubmitted (send_receipt)
        warehouse consumes OrderSubmitted (Stock::submitted)
    "#]]
    .assert_eq(&printed);
}

#[test]
fn bus_core_alone_is_enough_for_messages_and_consumers() {
    succeeds(&cargo("core_only", &["run", "--quiet"]));
}

#[test]
fn a_consumer_that_cannot_be_found_names_the_feature_that_is_missing() {
    let output = cargo("core_only", &["check", "--quiet", "--features", "auto", "--message-format=short"]);
    assert!(!output.status.success());
    expect_test::expect![[r#"
        src/main.rs:32:1: error: `#[consumer(auto)]` needs the feature `discover`: in Cargo.toml write `bus-core = { version = "0.1.0", features = ["discover"] }`
        src/main.rs:41:1: error: `#[consumer(auto)]` needs the feature `discover`: in Cargo.toml write `bus-core = { version = "0.1.0", features = ["discover"] }`
        error: could not compile `core_only` (bin "core_only") due to 2 previous errors
    "#]].assert_eq(&text(&output.stderr));
}

#[test]
fn a_program_without_serde_is_told_what_is_missing() {
    let output = cargo("without_serde", &["check", "--quiet", "--message-format=short"]);
    assert!(!output.status.success());
    expect_test::expect![[r#"
        src/main.rs:5:17: error[E0463]: can't find crate for `serde`: can't find crate
        src/main.rs:5:28: error[E0463]: can't find crate for `serde`: can't find crate
        src/main.rs:7:8: error[E0277]: the trait bound `SubmitOrder: serde::Deserialize<'de>` is not satisfied: unsatisfied trait bound
        src/main.rs:7:8: error[E0277]: the trait bound `SubmitOrder: serde::Serialize` is not satisfied: unsatisfied trait bound
        error: could not compile `without_serde` (bin "without_serde") due to 4 previous errors
    "#]].assert_eq(&text(&output.stderr));
}

#[test]
fn a_crate_of_contracts_depends_on_no_runtime() {
    succeeds(&cargo("contracts", &["check", "--quiet"]));
    let tree = succeeds(&cargo("contracts", &["tree", "--edges", "normal", "--prefix", "none"]));
    let has = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(has("bus-core") && has("serde"), "{tree}");
    for runtime in ["tokio", "async-trait", "futures-util", "tracing", "bytes", "bus"] {
        assert!(!has(runtime), "{runtime} is there:\n{tree}");
    }
}

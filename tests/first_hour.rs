//! `docs/first-hour.md` shows a program; here it is compiled, tested and run.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::example;

/// Its own tests run as a part of these.
#[cfg(all(feature = "inmemory", feature = "testing"))]
#[allow(dead_code, reason = "its main is run as a program")]
#[path = "../examples/first_hour.rs"]
mod program;

#[test]
fn the_page_shows_the_program_word_for_word() {
    let (page, program) = (include_str!("../docs/first-hour.md"), include_str!("../examples/first_hour.rs"));
    let blocks: Vec<_> =
        page.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert_eq!(blocks.len(), 2, "the program, and its tests");
    let (_, whole) = program.split_once("\n\n").expect("a heading, then the program");
    assert_eq!(blocks.join("\n"), whole, "write the same in docs/first-hour.md and examples/first_hour.rs");
}

#[tokio::test]
async fn the_program_bills_an_order() {
    let mut process = example("first_hour").stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(process.stdout.take().expect("it was piped")).lines();
    loop {
        let line = lines.next_line().await.expect("it writes lines").expect("it ended without billing");
        if line.starts_with("billing ") {
            break;
        }
    }
}

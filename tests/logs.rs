//! `docs/logs.md` and the sources have the same lines.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = include_str!("../docs/logs.md");
const LEVELS: [&str; 3] = ["error", "warn", "info"];

/// The Rust files under a folder, tests left out.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The last text between quotes in a macro's arguments: what the line says. The text begins behind the bracket.
fn said(text: &str) -> String {
    let (mut depth, mut last) = (1, None);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => {
                let mut end = at;
                while let Some((next, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => {
                            end = next;
                            break;
                        }
                        _ => {}
                    }
                }
                last = Some(&text[at + 1..end]);
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    let mut parts = last.unwrap_or_else(|| panic!("a line without a text: {}", &text[..80])).split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// Level and text of each line that the crates may log, from level info up.
fn logged() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for crate_root in ["", "bus-core", "bus-inmemory", "bus-rabbitmq"] {
        sources(&root.join(crate_root).join("src"), &mut files);
    }
    let mut lines = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for level in LEVELS {
            let call = format!("tracing::{level}!(");
            for (at, _) in source.match_indices(&call) {
                lines.insert((level.to_owned(), said(&source[at + call.len()..])));
            }
        }
    }
    lines
}

#[test]
fn the_page_of_log_lines_has_those_of_the_sources_and_no_others() {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    let listed: BTreeSet<_> = rows
        .filter_map(|row| {
            let mut cells = row.split(" | ");
            let (level, text) = (cells.next()?, cells.next()?);
            LEVELS.contains(&level).then(|| (level.to_owned(), text.trim_matches('`').to_owned()))
        })
        .collect();
    let logged = logged();
    assert!(logged.len() > 20, "{logged:#?}");
    let missing: Vec<_> = logged.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&logged).collect();
    assert!(missing.is_empty() && stale.is_empty(), "docs/logs.md lacks {missing:#?} and has {stale:#?} too much");
}

//! Imports run down the floors, and files stay readable in one sitting.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Every top-level module and the floor it stands on (see `src/lib.rs`).
const FLOORS: &[(&str, u8)] = &[
    ("clock", 0),
    ("form", 0),
    ("meter", 0),
    ("wakeup", 0),
    ("redact", 0),
    ("secret", 0),
    ("model", 1),
    ("openapi", 1),
    ("audit", 2),
    ("schema", 2),
    ("wire", 2),
    ("datastore", 3),
    ("iam", 3),
    ("measure", 3),
    ("pki", 3),
    ("telemetry", 3),
    ("accounts", 4),
    ("enroll", 4),
    ("gnmi", 4),
    ("health", 4),
    ("load", 4),
    ("restconf", 4),
    ("oauth", 4),
    ("store", 4),
    ("syslog", 4),
    ("transport", 4),
    ("webhook", 4),
    ("zitadel", 4),
    ("config", 5),
    ("app", 6),
    ("cli", 7),
];

/// Floor 0 stands beside `model`: a clock tells a `model::Timestamp`.
const PLAIN_DATA: &str = "model";

const MAX_LINES: usize = 400;

#[test]
fn imports_run_down_the_floors_and_files_stay_short() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    for file in rust_files(&src) {
        let relative = file.strip_prefix(&src).unwrap().to_path_buf();
        let text = fs::read_to_string(&file).unwrap();
        violations.extend(check(&relative, &text));
    }
    assert!(
        violations.is_empty(),
        "the tree is out of shape:\n{}",
        violations.join("\n")
    );
}

#[test]
fn shape_sees_an_import_that_runs_up() {
    let found = check(
        Path::new("telemetry/tree.rs"),
        "use crate::gnmi::Service;\n",
    );
    assert_eq!(
        found,
        ["telemetry/tree.rs:1: imports `gnmi` (floor 4) from floor 3"]
    );
}

#[test]
fn shape_sees_an_import_that_runs_sideways() {
    let found = check(
        Path::new("iam/registry.rs"),
        "use crate::telemetry::Core;\n",
    );
    assert_eq!(found.len(), 1);
}

/// All violations in one file, as lines for a person.
fn check(relative: &Path, text: &str) -> Vec<String> {
    let name = relative.display();
    let room = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    let room = room.trim_end_matches(".rs");
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let Some(floor) = floor_of(room) else {
        return vec![format!("{name}: module `{room}` has no floor")];
    };
    let mut violations = Vec::new();
    if text.lines().count() > MAX_LINES {
        violations.push(format!("{name}: more than {MAX_LINES} lines"));
    }
    for (number, line) in code_lines(text) {
        if line.contains("crate::{") {
            violations.push(format!("{name}:{number}: groups imports at the root"));
        }
        for imported in line.split("crate::").skip(1) {
            let imported: String = imported
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if imported.is_empty() || imported == room || (floor == 0 && imported == PLAIN_DATA) {
                continue;
            }
            match floor_of(&imported) {
                Some(below) if below < floor => {}
                Some(above) => violations.push(format!(
                    "{name}:{number}: imports `{imported}` (floor {above}) from floor {floor}"
                )),
                None => violations.push(format!(
                    "{name}:{number}: imports `{imported}`, which has no floor"
                )),
            }
        }
    }
    violations
}

/// Numbered lines of production code: comments and everything from the first test module on are left out.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                files.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

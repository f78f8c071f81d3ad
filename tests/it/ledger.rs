//! The conformance ledger names a test for every rule, and every test it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// gNMI rules of the acceptance list.
const GNMI_RULES: u32 = 71;

/// Acceptance tests of the identity list.
const IAM_RULES: u32 = 15;

/// Lists of the acceptance points for certificates, and how many each has: signing, validation, handshake, revocation.
const PKI_POINTS: [(u32, u32); 4] = [(2, 20), (3, 8), (4, 12), (5, 9)];

#[test]
fn gnmi_ledger_covers_every_rule_with_a_test_that_exists() {
    let rules = (1..=GNMI_RULES).map(|rule| rule.to_string());
    check("tests/it/ledger_gnmi.md", rules.collect());
}

#[test]
fn iam_ledger_covers_every_acceptance_test_with_tests_that_exist() {
    let rules = (1..=IAM_RULES).map(|rule| rule.to_string());
    check("tests/it/ledger_iam.md", rules.collect());
}

#[test]
fn pki_ledger_covers_every_point_with_a_test_that_exists() {
    let points = PKI_POINTS
        .iter()
        .flat_map(|(list, count)| (1..=*count).map(move |point| format!("{list}.{point}")));
    check("tests/it/ledger_pki.md", points.collect());
}

/// Every one of `wanted` has a row, no row is about anything else, and each has a test that exists or a reason.
#[track_caller]
pub fn check(ledger: &str, wanted: BTreeSet<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(ledger)).unwrap();
    let known = test_names(root);
    let mut covered = BTreeSet::new();
    let mut problems = Vec::new();
    for row in rows(&text) {
        let rule = &row.rule;
        if !wanted.contains(rule) {
            problems.push(format!("{rule}: there is no such rule"));
        }
        if !covered.insert(rule.clone()) {
            problems.push(format!("{rule}: has two rows"));
        }
        if row.tests.is_empty() && row.remark.is_empty() {
            problems.push(format!(
                "{rule}: neither a test nor a reason for leaving it out"
            ));
        }
        for test in row.tests {
            if !known.contains(&test) {
                problems.push(format!("{rule}: no test is called `{test}`"));
            }
        }
    }
    let missing = wanted.difference(&covered);
    problems.extend(missing.map(|rule| format!("{rule}: no row")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

struct Row {
    rule: String,
    tests: Vec<String>,
    remark: String,
}

/// Rows of the form `| 7 | what | `test`, `test` | remark |`.
fn rows(ledger: &str) -> Vec<Row> {
    ledger
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'))
        .map(|line| {
            line.split('|')
                .map(str::trim)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|cells| cells.len() == 4 && is_rule(&cells[0]))
        .map(|cells| Row {
            rule: cells[0].clone(),
            tests: cells[2]
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect(),
            remark: cells[3].clone(),
        })
        .collect()
}

/// A number, or that of a quirk.
fn is_rule(cell: &str) -> bool {
    let number = cell.strip_prefix('Q').unwrap_or(cell);
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// The names of all test functions: Rust ones in `src/` and `tests/it/`, Python ones in `tests/interop/`.
fn test_names(root: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["src", "tests/it", "tests/interop"] {
        for file in files(&root.join(folder)) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if file.extension().is_some_and(|extension| extension == "py") {
                names.extend(names_after(&text, "def "));
            } else {
                names.extend(names_after(&text, "fn "));
            }
        }
    }
    names
}

fn names_after<'a>(text: &'a str, keyword: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(keyword).skip(1).map(|rest| {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "py")
        {
            found.push(path);
        }
    }
    found
}

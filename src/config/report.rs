//! The configuration as text for people: checked, shown with origins, documented.

use std::fmt::Write;

use super::Mistakes;
use super::Origin;
use super::Sources;
use super::section::Key;
use super::section::Row;
use super::settings::document;
use super::settings::read;
use super::sources::variable;

/// Checks a configuration and says in one line that it is good.
///
/// # Errors
///
/// [`Mistakes`], all of them.
pub fn check_config(sources: &Sources) -> Result<String, Mistakes> {
    let (_, rows) = read(sources)?;
    let given = rows
        .iter()
        .filter(|row| row.origin != Origin::Default)
        .count();
    Ok(format!(
        "configuration is good: {given} of {} keys given\n",
        rows.len()
    ))
}

/// The configuration in effect, as TOML that reads back to the same, each value with its origin. It holds no
/// secrets: those lie in files, of which only the names stand here.
///
/// # Errors
///
/// [`Mistakes`], all of them.
pub fn print_config(sources: &Sources) -> Result<String, Mistakes> {
    let (_, rows) = read(sources)?;
    let mut text = String::new();
    let mut section = "";
    for row in &rows {
        // Writing to a String cannot fail.
        if row.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            let _ok = writeln!(text, "{gap}{}", header(&row.section));
            section = &row.section;
        }
        let _ok = match &row.value {
            Some(value) => writeln!(text, "{} = {value} # {}", row.key.name, row.origin),
            None => writeln!(text, "# {} is not set", row.key.name),
        };
    }
    Ok(text)
}

/// The configuration table of the README: one markdown row for each key.
pub fn documentation() -> String {
    let mut text = String::from(HEAD);
    for row in document() {
        // Writing to a String cannot fail.
        let _ok = writeln!(text, "{}", markdown(&row));
    }
    text
}

/// `[gateway]`, `[[measure.sessions]]`.
fn header(section: &str) -> String {
    match section.rsplit_once('[') {
        Some((rows, _)) => format!("[[{rows}]]"),
        None => format!("[{section}]"),
    }
}

fn markdown(row: &Row) -> String {
    let Key {
        name,
        kind,
        range,
        default,
        doc,
    } = &row.key;
    let section = row.section.replace("[0]", "[]");
    let path = format!("{section}.{name}");
    // Rows of an array have no variables.
    let environment = if section == row.section {
        format!("`{}`", variable(&path))
    } else {
        String::new()
    };
    let default = default
        .as_ref()
        .map_or_else(String::new, |text| format!("`{text}`"));
    let range = range
        .as_ref()
        .map_or_else(String::new, |range| format!(", {range}"));
    format!("| `{path}` | {environment} | {kind}{range} | {default} | {doc} |")
}

const HEAD: &str = "| key | environment | value | default | meaning |\n|---|---|---|---|---|\n";

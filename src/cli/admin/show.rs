//! Answers for people and for scripts.

use std::io;

use serde_json::Map;
use serde_json::Value;

use crate::cli::output;

/// Prints an object as `key: value` lines, a list as a table; or both as JSON.
pub(super) fn show(answer: &Value, json: bool) -> io::Result<()> {
    if json {
        return output::line(&answer.to_string());
    }
    match answer {
        Value::Array(rows) => show_table(rows),
        Value::Object(object) => {
            for (key, value) in object {
                output::line(&format!("{key}: {}", text(value)))?;
            }
            Ok(())
        }
        other => output::line(&text(other)),
    }
}

fn show_table(rows: &[Value]) -> io::Result<()> {
    let rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
    let Some(first) = rows.first() else {
        return output::line("none");
    };
    let columns: Vec<&String> = first.keys().collect();
    let cell =
        |row: &Map<String, Value>, column: &str| row.get(column).map(text).unwrap_or_default();
    let width = |column: &&String| {
        let cells = rows.iter().map(|row| cell(row, column).chars().count());
        cells.chain([column.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let join = |cells: Vec<String>| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    output::line(&join(
        columns.iter().map(|column| (*column).clone()).collect(),
    ))?;
    for row in &rows {
        output::line(&join(
            columns.iter().map(|column| cell(row, column)).collect(),
        ))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

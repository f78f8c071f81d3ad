//! "Did you mean": the known key that looks most like an unknown one.

use std::collections::BTreeSet;

/// A key within few typing mistakes of `unknown`; else one of the same name in another section.
pub(super) fn suggestion(unknown: &str, known: &BTreeSet<String>) -> Option<String> {
    let distance = |key: &String| strsim::damerau_levenshtein(key, unknown);
    let close = known.iter().map(|key| (distance(key), key)).min();
    let elsewhere = || known.iter().find(|key| last(key) == last(unknown));
    close
        .filter(|(distance, _)| *distance <= MAX_DISTANCE)
        .map(|(_, key)| key)
        .or_else(elsewhere)
        .cloned()
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Two letters changed places, one is missing and one too many.
const MAX_DISTANCE: usize = 3;

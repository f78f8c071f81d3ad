//! The RESTCONF ledger has a row for each of the 45 points, and names tests that exist.

use crate::ledger::check;

/// Points of the acceptance list.
const POINTS: u32 = 45;

/// Quirks of the vendor.
const QUIRKS: u32 = 11;

#[test]
fn restconf_ledger_covers_every_point_with_a_test_that_exists() {
    let points = (1..=POINTS).map(|point| point.to_string());
    let quirks = (1..=QUIRKS).map(|quirk| format!("Q{quirk}"));
    check(
        "tests/it/ledger_restconf.md",
        points.chain(quirks).collect(),
    );
}

//! The matcher against brute force.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies;
use super::strategies::is_selected;
use super::strategies::levels_below;
use crate::telemetry::matcher::Matcher;

proptest! {
    #[test]
    fn matcher_equals_brute_force(
        patterns in vec((strategies::selector(), strategies::pattern()), 0..25),
        gone in vec(any::<prop::sample::Index>(), 0..10),
        paths in vec((strategies::target(), strategies::path()), 1..20),
    ) {
        let mut matcher = Matcher::default();
        for (number, (selector, pattern)) in patterns.iter().enumerate() {
            matcher.add(selector, pattern, &number);
        }
        let mut left: BTreeSet<usize> = (0..patterns.len()).collect();
        for number in gone.into_iter().filter(|_| !patterns.is_empty()) {
            let number = number.index(patterns.len());
            let (selector, pattern) = &patterns[number];
            matcher.remove(selector, pattern, |entry| *entry == number);
            left.remove(&number);
        }
        for (target, path) in &paths {
            let mut found = BTreeSet::new();
            matcher.visit(target, path, |entries, below| {
                found.extend(entries.iter().map(|entry| (*entry, below)));
            });
            let by_force = left.iter().flat_map(|&number| {
                let (selector, pattern) = &patterns[number];
                let meant = is_selected(selector, target).then(|| levels_below(pattern, path));
                meant.into_iter().flatten().map(move |below| (number, below))
            });
            prop_assert_eq!(found, by_force.collect::<BTreeSet<_>>());
        }
    }
}

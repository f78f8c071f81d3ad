//! Last uses of tokens, gathered off the hot path (iam A4).

use dashmap::DashMap;

use super::PatId;
use super::Use;

/// The newest use of each token since the last time they were taken.
#[derive(Debug, Default)]
pub(crate) struct Uses(DashMap<PatId, Use>);

impl Uses {
    pub(crate) fn note(&self, token: PatId, used: Use) {
        if self.0.len() < MOST {
            self.0.insert(token, used);
        }
    }

    pub(crate) fn take(&self) -> Vec<(PatId, Use)> {
        let taken: Vec<_> = self
            .0
            .iter()
            .map(|entry| (*entry.key(), entry.value().clone()))
            .collect();
        for (token, taken) in &taken {
            self.0.remove_if(token, |_, now| now == taken);
        }
        taken
    }
}

/// How many tokens wait to be written at most. Beyond it a use goes unnoted until the next round.
const MOST: usize = 100_000;

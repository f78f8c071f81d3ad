//! Last uses of tokens, gathered off the hot path (iam A4).

use std::net::IpAddr;

use dashmap::DashMap;

use super::PatId;
use super::Use;

/// The newest use of each token from each address since the last time they were taken.
#[derive(Debug, Default)]
pub(crate) struct Uses(DashMap<(PatId, IpAddr), Use>);

impl Uses {
    pub(crate) fn note(&self, token: PatId, used: Use) {
        if self.0.len() < MOST {
            self.0.insert((token, used.address), used);
        }
    }

    /// The oldest first.
    pub(crate) fn take(&self) -> Vec<(PatId, Use)> {
        let taken: Vec<_> = self
            .0
            .iter()
            .map(|entry| (*entry.key(), entry.value().clone()))
            .collect();
        for (key, taken) in &taken {
            self.0.remove_if(key, |_, now| now == taken);
        }
        let mut uses: Vec<_> = taken
            .into_iter()
            .map(|((token, _), used)| (token, used))
            .collect();
        uses.sort_by_key(|(_, used)| used.at);
        uses
    }
}

/// How many uses wait to be written at most. Beyond it a use goes unnoted until the next round.
const MOST: usize = 100_000;

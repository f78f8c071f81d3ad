//! Last uses of tokens, gathered off the hot path (iam A4).

use std::net::IpAddr;

use dashmap::DashMap;

use crate::model::Timestamp;

use super::LastUse;
use super::PatId;

/// The newest use of each token since the last time they were taken.
#[derive(Debug, Default)]
pub(crate) struct Uses(DashMap<PatId, LastUse>);

impl Uses {
    pub(crate) fn note(&self, token: PatId, at: Timestamp, address: IpAddr) {
        if self.0.len() < MOST {
            self.0.insert(token, LastUse { at, address });
        }
    }

    pub(crate) fn take(&self) -> Vec<(PatId, LastUse)> {
        let taken: Vec<_> = self
            .0
            .iter()
            .map(|entry| (*entry.key(), *entry.value()))
            .collect();
        for (token, taken) in &taken {
            self.0.remove_if(token, |_, now| now == taken);
        }
        taken
    }
}

/// How many tokens wait to be written at most. Beyond it a use goes unnoted until the next round.
const MOST: usize = 100_000;

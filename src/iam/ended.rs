//! Streams that ended together, as the audit trail tells of them (iam A1): one event for each credential and reason,
//! however many streams it had.

use std::collections::HashMap;
use std::sync::Arc;

use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::audit::Trail;
use crate::model::Serial;
use crate::model::Timestamp;

use super::AccountId;
use super::PatId;
use super::Principal;
use super::Reason;

/// Streams that ended together.
#[derive(Debug, Default)]
pub(super) struct Ended(HashMap<Cause, (Arc<Principal>, u64)>);

/// Whose credential, and why.
type Cause = (AccountId, Option<PatId>, Option<Serial>, Reason);

impl Ended {
    /// Counts a stream. One that ends because the gateway does has not lost its credential.
    pub(super) fn count(&mut self, principal: &Arc<Principal>, reason: Reason) {
        if reason == Reason::Draining {
            return;
        }
        let (token, certificate) = (principal.token, principal.certificate);
        let key = (principal.account, token, certificate, reason);
        let counted = self.0.entry(key).or_insert((Arc::clone(principal), 0));
        counted.1 += 1;
    }

    /// Records what was counted.
    pub(super) fn tell(self, trail: &Trail, at: Timestamp) {
        for ((account, token, certificate, reason), (principal, streams)) in self.0 {
            let subject = match (token, certificate) {
                (Some(token), _) => Subject {
                    kind: "pat",
                    id: token.to_string(),
                    name: None,
                },
                (None, Some(serial)) => Subject {
                    kind: "certificate",
                    id: serial.to_string(),
                    name: None,
                },
                (None, None) => Subject {
                    kind: "account",
                    id: account.to_string(),
                    name: Some(principal.username.to_string()),
                },
            };
            trail.record(Event {
                tenant: Some(principal.tenant.clone()),
                subject: Some(subject),
                account: Some(account.to_string()),
                reason: Some(reason.as_str()),
                detail: Some(format!("{streams} streams")),
                ..Event::new(at, Kind::StreamsEnded, Actor::Gateway)
            });
        }
    }
}

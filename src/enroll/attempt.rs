//! One request for a certificate, as the audit trail tells it (restconf-pki 3.2.16).

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Outcome;
use crate::audit::Subject;
use crate::model::Serial;
use crate::model::Timestamp;
use crate::pki::Csr;
use crate::pki::hex;

use super::Service;
use super::admission::Asker;
use super::error::Refusal;
use super::service::count;

/// What is known of a request so far.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) asker: Asker,
    facts: String,
}

impl Attempt {
    pub(super) const fn new(asker: Asker) -> Self {
        Self {
            asker,
            facts: String::new(),
        }
    }

    /// Notes something for people to read. Never anything of the request that was not checked.
    pub(super) fn note(&mut self, name: &str, value: &str) {
        if !self.facts.is_empty() {
            self.facts.push_str(", ");
        }
        self.facts.push_str(name);
        self.facts.push(' ');
        self.facts.push_str(value);
    }

    pub(super) fn note_csr(&mut self, csr: &Csr) {
        self.note("csr", &hex(&csr.hash()));
        self.note("key", &hex(&csr.key().hash()));
    }

    /// The event of a certificate.
    pub(super) fn issued(&self, serial: Serial, username: &str, at: Timestamp) -> Event {
        let subject = Subject {
            kind: "certificate",
            id: serial.to_string(),
            name: Some(username.to_owned()),
        };
        Event {
            subject: Some(subject),
            ..self.event(Kind::CertificateIssued, at)
        }
    }

    fn event(&self, kind: Kind, at: Timestamp) -> Event {
        Event {
            origin: self.asker.origin.clone(),
            tenant: Some(self.asker.principal.tenant.clone()),
            detail: (!self.facts.is_empty()).then(|| self.facts.clone()),
            ..Event::new(at, kind, self.asker.actor())
        }
    }
}

impl Service {
    /// Refuses: the event is stored before anybody is told. Where it cannot be stored, that is the answer.
    pub(super) async fn refuse(&self, attempt: &Attempt, refusal: Refusal) -> Refusal {
        count("refused");
        let event = Event {
            outcome: Outcome::Failure,
            reason: Some(refusal.code),
            ..attempt.event(Kind::CertificateRefused, self.clock.now())
        };
        match self.log.append(std::slice::from_ref(&event)).await {
            Ok(()) => refusal,
            Err(_) => Refusal::unavailable(),
        }
    }
}

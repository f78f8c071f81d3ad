//! `[iam]`: whom to tell of tokens that end.

use std::path::PathBuf;

use crate::webhook::Config;
use crate::webhook::Endpoint;

use super::Fault;
use super::section::Section;

/// Reads the keys of `[iam]` that begin with `webhook_`.
pub(super) fn webhook(section: &mut Section<'_, '_>) -> Option<Config> {
    let url = section.optional::<String>(
        "webhook_url",
        "Web server that is told of tokens that end soon or have ended; http only on this machine.",
    );
    let secret_file = section.optional::<PathBuf>(
        "webhook_secret_file",
        "File with the secret, of at least 16 bytes, that signs what the webhook is sent.",
    );
    let ca_file = section.get(
        "webhook_ca_file",
        PathBuf::from(SYSTEM_CAS),
        "Certificates (PEM) to one of which an https webhook's must lead.",
    );
    let audit = section.get(
        "webhook_audit",
        false,
        "Whether the webhook is sent every audit event, too, in order and until it takes them.",
    );
    let url = url?;
    let Ok(endpoint) = url.parse::<Endpoint>() else {
        let fault = Fault::Expected("an https URL, or an http URL of this machine");
        section.mistake("webhook_url", fault);
        return None;
    };
    let Some(secret_file) = secret_file else {
        section.mistake("webhook_secret_file", Fault::Missing);
        return None;
    };
    Some(Config {
        endpoint,
        secret_file,
        ca_file,
        audit,
    })
}

/// Where Debian's `ca-certificates` puts them.
pub(super) const SYSTEM_CAS: &str = "/etc/ssl/certs/ca-certificates.crt";

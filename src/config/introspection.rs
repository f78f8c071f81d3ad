//! `[iam.introspection]`: another issuer whose tokens are taken.

use std::path::PathBuf;
use std::time::Duration;

use crate::iam::ForeignConfig;
use crate::oauth::Claims;
use crate::oauth::IssuerConfig;

use super::Fault;
use super::section::Section;

/// Another issuer whose tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Where and how it is asked.
    pub issuer: IssuerConfig,
    /// Which tokens are its, and how they are followed.
    pub foreign: ForeignConfig,
    /// The file with the secret that this gateway shows it.
    pub client_secret_file: PathBuf,
    /// PEM file of authorities one of which has signed its certificate.
    pub ca_file: PathBuf,
}

/// Reads `[iam.introspection]`; `None` when it has no `url`.
pub(super) fn introspection(section: &mut Section<'_, '_>) -> Option<Introspection> {
    let url = section.optional::<String>(
        "url",
        "RFC 7662 endpoint of another issuer, `https` alone, whose tokens are taken too: a Zitadel or another tollgate.",
    );
    let client_id = section.optional::<String>("client_id", "As whom this gateway asks it.");
    let client_secret_file = section.optional::<PathBuf>(
        "client_secret_file",
        "File with the client secret, readable by the owner alone.",
    );
    let ca_file = section.optional::<PathBuf>(
        "ca_file",
        "PEM file of the authorities whose certificates the issuer may show.",
    );
    let foreign = ForeignConfig {
        all_tokens: section.get(
            "all_tokens",
            false,
            "Whether tokens of our own form are the issuer's too: an edge gateway of another tollgate.",
        ),
        recheck_interval: section.duration(
            "recheck_interval",
            RECHECK_INTERVAL,
            Duration::from_millis(10)..=Duration::from_mins(5),
            "How often the tokens of open streams are asked about again.",
        ),
    };
    let (timeout, concurrency) = limits(section);
    let claims = claims(section);
    let url = url?;
    let Some(url) = url.parse().ok().filter(is_https) else {
        section.mistake("url", Fault::Expected("https://host[:port]/path"));
        return None;
    };
    for (name, is_given) in [
        ("iam.introspection.client_id", client_id.is_some()),
        (
            "iam.introspection.client_secret_file",
            client_secret_file.is_some(),
        ),
        ("iam.introspection.ca_file", ca_file.is_some()),
    ] {
        if !is_given {
            section.mistake("url", Fault::Needs(name));
        }
    }
    Some(Introspection {
        issuer: IssuerConfig {
            url,
            client_id: client_id?,
            timeout,
            concurrency,
            claims,
        },
        foreign,
        client_secret_file: client_secret_file?,
        ca_file: ca_file?,
    })
}

fn limits(section: &mut Section<'_, '_>) -> (Duration, usize) {
    let timeout = section.duration(
        "timeout",
        TIMEOUT,
        Duration::from_millis(10)..=Duration::from_secs(5),
        "How long one question may take; then the issuer counts as out of reach.",
    );
    let concurrency = section.count(
        "concurrency",
        CONCURRENCY,
        1..=10_000,
        "Questions at once; more wait, within their time.",
    );
    (timeout, concurrency)
}

fn claims(section: &mut Section<'_, '_>) -> Claims {
    let default = Claims::default();
    Claims {
        tenant: section.get(
            "tenant_claim",
            default.tenant,
            "Member of the answer that names the tenant, which must exist here.",
        ),
        subject: section.get(
            "subject_claim",
            default.subject,
            "Member that says who it is, for good.",
        ),
        username: section.get(
            "username_claim",
            default.username,
            "Member that says the same for people.",
        ),
        roles: section.get(
            "roles_claim",
            default.roles,
            "Member with the role names: an object's keys, an array, or words.",
        ),
        audience: section.optional(
            "audience",
            "Whom member `aud` must name, alone or among others; a token for somebody else is refused.",
        ),
    }
}

fn is_https(url: &http::Uri) -> bool {
    url.scheme_str() == Some("https") && url.host().is_some()
}

/// A token that the issuer has revoked is noticed so late where a stream is open.
const RECHECK_INTERVAL: Duration = Duration::from_secs(10);

/// An issuer next door answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Enough for ten thousand answers a second at three milliseconds each.
const CONCURRENCY: usize = 32;

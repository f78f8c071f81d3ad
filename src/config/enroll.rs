//! `[enroll]`: who is given certificates, and for how long.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::enroll::Config;

use super::Fault;
use super::section::Section;

/// Reads `[enroll]`. `lists_url` is where the gateway itself publishes revocation lists.
pub(super) fn enroll(section: &mut Section<'_, '_>, lists_url: Option<String>) -> Config {
    let default = Config::default();
    let config = Config {
        default_lifetime: section.duration(
            "default_lifetime",
            default.default_lifetime,
            LIFETIME,
            "How long a client certificate holds when the request does not say.",
        ),
        max_lifetime: section.duration(
            "max_lifetime",
            default.max_lifetime,
            LIFETIME,
            "The longest that a request may ask for.",
        ),
        renew_after_percent: section.count(
            "renew_after_percent",
            default.renew_after_percent,
            0..=99,
            "Part of a certificate's life that must be over before it may be renewed with itself.",
        ),
        repeat_window: section.duration(
            "repeat_window",
            default.repeat_window,
            Duration::ZERO..=Duration::from_hours(1),
            "For so long the same request gets the same certificate.",
        ),
        crl_url: crl_url(section, lists_url),
        crl_lifetime: section.duration(
            "crl_lifetime",
            default.crl_lifetime,
            Duration::from_mins(1)..=Duration::from_hours(30 * 24),
            "How long a revocation list holds. A new one is made at half of it, and whenever something is revoked.",
        ),
        ..switches(section, default)
    };
    if config.default_lifetime > config.max_lifetime {
        let fault = Fault::Expected("at most enroll.max_lifetime");
        section.mistake("default_lifetime", fault);
    }
    config
}

fn crl_url(section: &mut Section<'_, '_>, own: Option<String>) -> Option<String> {
    let given = section.optional::<String>(
        "crl_url",
        "Where certificates say that revocation lists are, such as http://pki.example/distribution/crl; the issuer's key \
         identifier is appended. When left out `https://<first of gateway.names>:<port>/distribution/crl`; with `none` they \
         say nothing.",
    );
    given.or(own).filter(|url| url != NO_URL)
}

fn switches(section: &mut Section<'_, '_>, default: Config) -> Config {
    Config {
        clip_lifetime: section.get(
            "clip_lifetime",
            default.clip_lifetime,
            "Cut longer wishes to the maximum, instead of refusing them.",
        ),
        end_with_token: section.get(
            "end_with_token",
            default.end_with_token,
            "Certificates end with the token that they are asked for with, and cannot renew themselves.",
        ),
        allow_no_roles: section.get(
            "allow_no_roles",
            default.allow_no_roles,
            "Give certificates without rights to who asks for no roles, instead of refusing.",
        ),
        expired_is_unauthorized: section.get(
            "expired_is_unauthorized",
            default.expired_is_unauthorized,
            "Answer an expired token with 401 instead of the vendor's 403.",
        ),
        revoke_with_token: section.get(
            "revoke_with_token",
            default.revoke_with_token,
            "Deleting an account or revoking a token revokes the certificates that depend on it.",
        ),
        ..limits(section, default)
    }
}

fn limits(section: &mut Section<'_, '_>, default: Config) -> Config {
    Config {
        caller_per_minute: section.count(
            "caller_per_minute",
            default.caller_per_minute,
            RATE,
            "Requests for certificates of one account per minute, in the long run.",
        ),
        caller_burst: section.count(
            "caller_burst",
            default.caller_burst,
            RATE,
            "The same at once.",
        ),
        per_second: section.count(
            "per_second",
            default.per_second,
            RATE,
            "Requests for certificates of all accounts per second.",
        ),
        ..default
    }
}

/// Whole hours are the vendor's unit.
const LIFETIME: RangeInclusive<Duration> =
    Duration::from_hours(1)..=Duration::from_hours(10 * 365 * 24);

const NO_URL: &str = "none";

const RATE: RangeInclusive<u64> = 1..=1_000_000;

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::config::Sources;

    #[test]
    fn lists_are_where_the_gateway_publishes_them_unless_told_otherwise() {
        for (gateway, enroll, expected) in [
            ("", "", Some("https://localhost/distribution/crl")),
            (
                "listen = '0.0.0.0:8443'\nnames = ['gw.example', '192.0.2.1']",
                "",
                Some("https://gw.example:8443/distribution/crl"),
            ),
            (
                "listen = '[::]:8443'\nnames = ['2001:db8::1']",
                "",
                Some("https://[2001:db8::1]:8443/distribution/crl"),
            ),
            (
                "",
                "crl_url = 'http://pki.example/crl'",
                Some("http://pki.example/crl"),
            ),
            ("", "crl_url = 'none'", None),
            // Nobody knows yet which port it will be, and whose certificate is brought.
            ("listen = '127.0.0.1:0'", "", None),
            ("cert_file = '/a'\nkey_file = '/b'", "", None),
        ] {
            let text = format!("[gateway]\n{gateway}\n[enroll]\n{enroll}\n");
            let sources = Sources::new().with_text("tollgate.toml", &text);
            let settings = Settings::load(&sources).unwrap();
            assert_eq!(settings.enroll.crl_url.as_deref(), expected, "{text}");
        }
    }
}

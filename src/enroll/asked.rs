//! What a request for a certificate asks for, beside the CSR itself.

use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::Value;

use crate::iam::Role;
use crate::iam::Roles;

use super::Config;
use super::error::Refusal;
use super::reply::Format;

/// The parameters, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) lifetime: Duration,
    pub(super) format: Format,
    /// For whom; the asker itself, or whom the CSR names, when it does not say.
    pub(super) username: Option<String>,
    /// `None` when it does not say: all that the holder has.
    pub(super) roles: Option<Roles>,
}

impl Asked {
    /// The parameters of a query, as the vendor documents them (restconf-pki 2.1). Unknown ones are refused: who
    /// misspells `assignedRoles` must not be given all.
    pub(super) fn from_uri(uri: &Uri, config: &Config) -> Result<Self, Refusal> {
        Self::from_pairs(&pairs(uri)?, config)
    }

    /// The members of a JSON body, and its CSR.
    pub(super) fn from_json(
        uri: &Uri,
        body: &[u8],
        config: &Config,
    ) -> Result<(Self, String), Refusal> {
        let malformed = |detail: &'static str| Refusal::malformed("invalid_json", detail);
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(malformed("body is not a JSON object"));
        };
        let mut all = pairs(uri)?;
        let mut csr = None;
        for (name, value) in members {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Array(items) => {
                    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                    texts
                        .ok_or_else(|| malformed("a list holds something else than text"))?
                        .join(",")
                }
                _ => return Err(malformed("a member is neither text, number nor list")),
            };
            if name == "csr" {
                csr = Some(text);
            } else {
                all.push((name, text));
            }
        }
        let csr = csr.ok_or_else(|| malformed("csr is missing"))?;
        let asked = Self::from_pairs(&all, config)?;
        Ok((
            Self {
                format: Format::Json,
                ..asked
            },
            csr,
        ))
    }

    /// What EST asks for, which has no parameters (RFC 7030 4.2).
    pub(super) const fn plain(config: &Config) -> Self {
        Self {
            lifetime: config.default_lifetime,
            format: Format::Pkcs7,
            username: None,
            roles: None,
        }
    }

    fn from_pairs(pairs: &[(String, String)], config: &Config) -> Result<Self, Refusal> {
        let mut asked = Self {
            format: Format::Pem,
            ..Self::plain(config)
        };
        for (index, (name, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return Err(Refusal::parameter(name, "is given twice"));
            }
            match name.as_str() {
                "certduration" => asked.lifetime = lifetime(value, config)?,
                "format" => {
                    asked.format = value.parse().map_err(|_| {
                        Refusal::parameter(
                            "format",
                            "is none of pem, leaf, chain, der, pkcs7, json",
                        )
                    })?;
                }
                "requestedUsername" => asked.username = Some(value.clone()),
                "assignedRoles" => asked.roles = Some(roles(value, config)?),
                _ => {
                    let detail = "a parameter is not known: there are certduration, format, \
                                  requestedUsername, assignedRoles";
                    return Err(Refusal::malformed("invalid_parameter", detail));
                }
            }
        }
        Ok(asked)
    }
}

/// A query's names and values.
pub(super) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs
        .map(|Query(pairs)| pairs)
        .map_err(|_| Refusal::malformed("invalid_query", "query is not well-formed"))
}

/// Whole hours, from one to the maximum (restconf-pki 3.2.12).
fn lifetime(text: &str, config: &Config) -> Result<Duration, Refusal> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large to be one is over the maximum like any other.
    let hours = text.parse().unwrap_or(u64::MAX);
    if !is_number || hours == 0 {
        return Err(Refusal::parameter(
            "certduration",
            "is not a whole number of hours above zero",
        ));
    }
    let most = config.max_lifetime.as_secs() / 3_600;
    if hours <= most {
        Ok(Duration::from_hours(hours))
    } else if config.clip_lifetime {
        Ok(config.max_lifetime)
    } else {
        let detail = format!("certduration is over the maximum of {most} hours");
        Err(Refusal::malformed("lifetime_exceeds_policy", detail))
    }
}

/// Names of roles with commas between. The vendor's example lists a user group among them (`ug_all_data_access`); groups
/// grant nothing here, so they are let pass and left out.
fn roles(text: &str, config: &Config) -> Result<Roles, Refusal> {
    let mut all = Vec::new();
    for name in text.split(',').map(str::trim) {
        if is_group(name) || (name.is_empty() && text.trim().is_empty()) {
            continue;
        }
        let role: Role = name
            .parse()
            .map_err(|_| Refusal::malformed("unknown_role", "assignedRoles names no known role"))?;
        all.push(role);
    }
    if all.is_empty() && !config.allow_no_roles {
        return Err(Refusal::malformed(
            "no_roles",
            "assignedRoles names no role",
        ));
    }
    Ok(all.into_iter().collect())
}

fn is_group(name: &str) -> bool {
    name.strip_prefix("ug_").is_some_and(|rest| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        !rest.is_empty() && rest.bytes().all(fits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Asked, &'static str> {
        let uri: Uri = format!("/distribution/sign-csr?{query}").parse().unwrap();
        Asked::from_uri(&uri, &Config::default()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn vendors_example_is_understood() {
        let asked = asked(
            "certduration=2160&format=pem&requestedUsername=streamer-export&\
             assignedRoles=tenant-admin,tenant-contributor,ug_all_data_access",
        )
        .unwrap();
        assert_eq!(asked.lifetime, Duration::from_hours(2_160));
        assert_eq!(asked.username.as_deref(), Some("streamer-export"));
        let roles = asked.roles.unwrap().to_string();
        assert_eq!(roles, "tenant-admin,tenant-contributor");
    }

    #[test]
    fn parameters_out_of_bounds_are_refused() {
        for (query, code) in [
            ("certduration=0", "invalid_parameter"),
            ("certduration=-1", "invalid_parameter"),
            ("certduration=", "invalid_parameter"),
            ("certduration=1.5", "invalid_parameter"),
            ("certduration=%2B1", "invalid_parameter"),
            ("certduration=8761", "lifetime_exceeds_policy"),
            (
                "certduration=9223372036854775808",
                "lifetime_exceeds_policy",
            ),
            (
                "certduration=340282366920938463463374607431768211456",
                "lifetime_exceeds_policy",
            ),
            ("format=xml", "invalid_parameter"),
            ("assignedRoles=root", "unknown_role"),
            ("assignedRoles=tenant-user,,tenant-admin", "unknown_role"),
            ("assignedRoles=Tenant-User", "unknown_role"),
            ("assignedRoles=", "no_roles"),
            ("assignedRoles=ug_all_data_access", "no_roles"),
            ("assignedroles=tenant-user", "invalid_parameter"),
            ("format=pem&format=der", "invalid_parameter"),
        ] {
            assert_eq!(asked(query), Err(code), "{query}");
        }
        assert_eq!(asked("").unwrap().roles, None);
    }

    #[test]
    fn lifetime_is_cut_and_no_roles_taken_where_the_policy_says_so() {
        let config = Config {
            clip_lifetime: true,
            allow_no_roles: true,
            max_lifetime: Duration::from_hours(24),
            ..Config::default()
        };
        let uri: Uri = "/?certduration=99999&assignedRoles=".parse().unwrap();
        let asked = Asked::from_uri(&uri, &config).unwrap();
        assert_eq!(asked.lifetime, Duration::from_hours(24));
        assert_eq!(asked.roles, Some(Roles::default()));
    }
}

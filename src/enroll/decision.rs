//! Who gets what: holder, roles, time (restconf-pki 3.2, points 3 to 5, 12 and 19).

use std::time::Duration;

use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Caller;
use crate::iam::Denied;
use crate::iam::PatId;
use crate::iam::Principal;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::State;
use crate::model::Serial;
use crate::model::Timestamp;
use crate::pki::Csr;
use crate::pki::port::CertificateRecord;

use super::Service;
use super::asked::Asked;
use super::attempt::Attempt;
use super::error::Refusal;

/// What was decided.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) holder: AccountRecord,
    pub(super) roles: Roles,
    pub(super) ends: Timestamp,
    /// The token that the certificate depends on.
    pub(super) token: Option<i64>,
    /// The certificate that this one renews.
    pub(super) renews: Option<Serial>,
}

impl Service {
    /// Decides. Notes in `attempt` who is meant as soon as that is known, and by which rule it was decided.
    pub(super) async fn decide(
        &self,
        attempt: &mut Attempt,
        asked: &Asked,
        csr: &Csr,
    ) -> Result<Decision, Refusal> {
        let principal = std::sync::Arc::clone(&attempt.asker.principal);
        let username = username_of(&principal, asked, csr)?;
        attempt.note("user", &username);
        let renewed = match principal.certificate {
            Some(serial) => Some(self.renewable(serial).await?),
            None => None,
        };
        let holder = self.holder(attempt, &username, renewed.is_some()).await?;
        let roles = self.grantable(asked.roles, &principal, &holder)?;
        attempt.note("roles", &roles.to_string());
        let rule = match (&renewed, holder.id == principal.account) {
            (Some(_), _) => "renewal",
            (None, true) => "own",
            (None, false) => "administered",
        };
        attempt.note("rule", rule);
        let token = match &renewed {
            Some(renewed) => renewed.token,
            None => principal.token.map(PatId::raw),
        };
        Ok(Decision {
            ends: self.ends(&principal, &holder, asked.lifetime),
            roles,
            token,
            renews: renewed.map(|renewed| renewed.serial),
            holder,
        })
    }

    /// The account of that name: the asker's own, or a service account that it may manage.
    async fn holder(
        &self,
        attempt: &Attempt,
        username: &str,
        is_renewal: bool,
    ) -> Result<AccountRecord, Refusal> {
        let principal = &attempt.asker.principal;
        let caller = if is_renewal {
            // A device may read nobody's account, not even by its own name.
            Caller::operator()
        } else {
            Caller::principal(principal, attempt.asker.origin.clone())
        };
        let tenant = &principal.tenant;
        let found = self.accounts.account_named(&caller, tenant, username).await;
        let holder = found.map_err(Refusal::from)?;
        let is_own = holder.id == principal.account;
        if is_renewal && !is_own {
            let detail = "a certificate may only be renewed for its own user";
            return Err(Refusal::forbidden("renewal_of_another", detail));
        }
        if holder.username != username {
            let detail = "user name is written otherwise";
            return Err(Refusal::malformed("invalid_username", detail));
        }
        if !is_own && holder.kind == AccountKind::Person {
            let detail = "certificates of a person are for itself alone to ask for";
            return Err(Refusal::forbidden("user_is_a_person", detail));
        }
        if !is_own && holder.roles.exceeds(principal.roles) {
            return Err(Denied::RolesExceed.into());
        }
        if holder.state == State::Disabled || holder.expires.is_over(self.clock.now()) {
            let detail = "the user's account is disabled or has expired";
            return Err(Refusal::forbidden("account_disabled", detail));
        }
        Ok(holder)
    }

    /// The certificate with which somebody asks for the next one. The TLS layer has verified it, and the authenticator
    /// that it is not revoked.
    async fn renewable(&self, serial: Serial) -> Result<CertificateRecord, Refusal> {
        let found = self.certificates.certificate(serial).await?;
        let record = found
            .filter(|record| record.revoked.is_none())
            .ok_or_else(|| {
                let detail = "the certificate is not one that may be renewed";
                Refusal::forbidden("not_renewable", detail)
            })?;
        if self.config.end_with_token {
            let detail = "certificates end with their token here: ask with a token";
            return Err(Refusal::forbidden("not_renewable", detail));
        }
        let life = record.not_after.since(record.issued);
        let begins = record
            .issued
            .saturating_add(life / 100 * self.config.renew_after_percent);
        if self.clock.now() < begins {
            let detail = format!("the certificate may be renewed from {begins} on");
            return Err(Refusal::forbidden("renewal_too_early", detail));
        }
        Ok(record)
    }

    /// The roles that it is limited to: of those asked for, none beyond the asker's or the holder's own; all of the
    /// holder's that the asker has, when it does not say.
    fn grantable(
        &self,
        asked: Option<Roles>,
        principal: &Principal,
        holder: &AccountRecord,
    ) -> Result<Roles, Refusal> {
        let Some(asked) = asked else {
            let roles = holder.roles.covered_by(principal.roles);
            if roles.is_empty() && !self.config.allow_no_roles {
                let detail = "no role is left that the certificate could have";
                return Err(Refusal::forbidden("no_roles_left", detail));
            }
            return Ok(roles);
        };
        if asked.exceeds(principal.roles) {
            return Err(Denied::RolesExceed.into());
        }
        if asked.exceeds(holder.roles) {
            let detail = "roles exceed those of the user";
            return Err(Refusal::forbidden("role_exceeds_user", detail));
        }
        Ok(asked)
    }

    /// Until when it holds, before the issuer's own end is looked at.
    fn ends(&self, principal: &Principal, holder: &AccountRecord, life: Duration) -> Timestamp {
        let ends = self.clock.now().saturating_add(life);
        let ends = ends.min(Timestamp::from_secs(holder.expires.secs()));
        if self.config.end_with_token {
            ends.min(Timestamp::from_secs(principal.expires.secs()))
        } else {
            ends
        }
    }
}

/// Whose certificate is asked for. The name in the CSR must say the same, or nothing.
fn username_of(principal: &Principal, asked: &Asked, csr: &Csr) -> Result<String, Refusal> {
    let named = asked.username.as_deref().or(csr.common_name());
    let username = named.unwrap_or(&principal.username);
    if !is_id(username) {
        let detail = "user name is not 1 to 128 of a-z, A-Z, 0-9, '.', '_', '-', \
                      the first a letter or digit";
        return Err(Refusal::malformed("invalid_username", detail));
    }
    if csr.common_name().is_some_and(|name| name != username) {
        let detail = "common name of the csr is not the requested user name";
        return Err(Refusal::malformed("common_name_mismatch", detail));
    }
    Ok(username.to_owned())
}

/// The names of roles, for the certificate.
pub(super) fn role_names(roles: Roles) -> Vec<String> {
    roles.iter().map(Role::as_str).map(str::to_owned).collect()
}

/// The vendor's `id` alphabet (restconf-pki 2.2): no letters that only look like others.
fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= MAX_USERNAME
        && text.bytes().all(fits)
        && text
            .as_bytes()
            .first()
            .is_some_and(u8::is_ascii_alphanumeric)
}

const MAX_USERNAME: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_of_the_vendors_alphabet() {
        let long = "a".repeat(128);
        for good in ["a", "Streamer-Export_1.2", "0", &long] {
            assert!(is_id(good), "{good}");
        }
        let longer = "a".repeat(129);
        for bad in [
            "",
            "-a",
            ".a",
            "a b",
            "a@b",
            "аdmin",
            "a\u{200d}b",
            "a,b",
            &longer,
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}

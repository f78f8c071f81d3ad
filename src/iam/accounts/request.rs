//! What is asked for, and whether it can be.

use ipnet::IpNet;

use crate::iam::AccountsError;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::PatText;
use crate::iam::Roles;
use crate::iam::Scope;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::secret::Secret;

/// An account to create. One with a password is a person, one without a service account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Where.
    pub tenant: TenantId,
    /// 1 to 200 characters, none of them white space or control; unique in the tenant, case aside.
    pub username: String,
    /// At most 200 characters; empty becomes the user name.
    pub name: String,
    /// At most 500 characters.
    pub description: String,
    /// What it may do; without a role, nothing.
    pub roles: Roles,
    /// At least 8 characters and at most 1,024 bytes.
    pub password: Option<Secret>,
}

/// A token to issue.
#[derive(Clone, Debug)]
pub struct NewPat {
    /// At most 200 characters, unique among the account's tokens that are not revoked; empty gets a generated one.
    pub name: String,
    /// At most 500 characters.
    pub description: String,
    /// In the future.
    pub expires: Expiry,
    /// What it is narrowed to; empty means all that the account's roles allow.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<IpNet>,
    /// The token along with which it is to be revoked.
    pub parent: Option<PatId>,
}

impl NewAccount {
    /// A person.
    pub fn person(tenant: TenantId, username: &str, password: Secret, roles: Roles) -> Self {
        Self {
            password: Some(password),
            ..Self::machine(tenant, username, roles)
        }
    }

    /// A service account.
    pub fn machine(tenant: TenantId, username: &str, roles: Roles) -> Self {
        Self {
            tenant,
            username: username.to_owned(),
            name: String::new(),
            description: String::new(),
            roles,
            password: None,
        }
    }

    /// Trims, fills in, and checks.
    pub(super) fn checked(mut self) -> Result<Self, AccountsError> {
        trim(&mut self.username);
        trim(&mut self.name);
        if self.username.is_empty() {
            return invalid("username", "is empty");
        }
        if self
            .username
            .chars()
            .any(|c| c.is_control() || c.is_whitespace())
        {
            return invalid("username", "has white space or control characters");
        }
        if self.name.is_empty() {
            self.name.clone_from(&self.username);
        }
        check_text("username", &self.username, NAME_LENGTH)?;
        check_text("name", &self.name, NAME_LENGTH)?;
        check_text("description", &self.description, DESCRIPTION_LENGTH)?;
        self.password.as_ref().map_or(Ok(()), check_password)?;
        Ok(self)
    }
}

impl NewPat {
    /// A token that ends then, without name or narrowing.
    pub fn until(expires: Expiry) -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            expires,
            scopes: Vec::new(),
            networks: Vec::new(),
            parent: None,
        }
    }

    /// The same, to end with `parent` at the latest.
    pub(super) fn under(self, parent: Option<&PatRecord>) -> Self {
        match parent {
            None => self,
            Some(parent) => Self {
                expires: self.expires.min(parent.expires),
                parent: Some(parent.id),
                ..self
            },
        }
    }

    /// Trims, and checks all but the times.
    pub(super) fn checked(mut self) -> Result<Self, AccountsError> {
        trim(&mut self.name);
        check_text("name", &self.name, NAME_LENGTH)?;
        check_text("description", &self.description, DESCRIPTION_LENGTH)?;
        check_networks(&mut self.networks)?;
        if self.scopes.len() > MOST_SCOPES {
            return invalid("scopes", "are too many");
        }
        let mut scopes: Vec<Scope> = Vec::with_capacity(self.scopes.len());
        for scope in self.scopes {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(Self { scopes, ..self })
    }
}

/// Cuts networks to what is before their prefix length, and checks.
pub(super) fn check_networks(networks: &mut Vec<IpNet>) -> Result<(), AccountsError> {
    if networks.len() > MOST_NETWORKS {
        return invalid("networks", "are too many");
    }
    for network in &mut *networks {
        *network = network.trunc();
    }
    networks.sort_unstable();
    networks.dedup();
    Ok(())
}

/// Trims, and checks.
pub(super) fn check_names(
    mut name: String,
    mut description: String,
) -> Result<(String, String), AccountsError> {
    trim(&mut name);
    trim(&mut description);
    if name.is_empty() {
        return invalid("name", "is empty");
    }
    check_text("name", &name, NAME_LENGTH)?;
    check_text("description", &description, DESCRIPTION_LENGTH)?;
    Ok((name, description))
}

/// A tenant's name becomes part of login names and headers.
pub(super) fn check_tenant(id: &str) -> Result<TenantId, AccountsError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if id.is_empty() || id.len() > TENANT_LENGTH {
        return invalid("tenant", "is empty or longer than 64 characters");
    }
    if !id.bytes().all(fits) {
        return invalid(
            "tenant",
            "has other characters than letters, digits, '-', '_', '.'",
        );
    }
    Ok(TenantId::new(id))
}

pub(super) fn check_password(password: &Secret) -> Result<(), AccountsError> {
    let text = password.expose();
    if text.chars().count() < PASSWORD_LENGTH {
        return invalid("password", "is shorter than 8 characters");
    }
    if text.len() > PASSWORD_BYTES {
        return invalid("password", "is longer than 1024 bytes");
    }
    if PatText::is_meant(text) {
        return invalid(
            "password",
            "begins like a token, and would be taken for one",
        );
    }
    Ok(())
}

pub(super) fn invalid<T>(field: &'static str, problem: &'static str) -> Result<T, AccountsError> {
    Err(AccountsError::InvalidField { field, problem })
}

fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), AccountsError> {
    if text.chars().count() > most {
        return invalid(field, "is too long");
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        return invalid(field, "has control characters");
    }
    Ok(())
}

fn trim(text: &mut String) {
    let trimmed = text.trim();
    if trimmed.len() < text.len() {
        *text = trimmed.to_owned();
    }
}

/// Characters, as Zitadel bounds names.
const NAME_LENGTH: usize = 200;
/// Characters, as Zitadel bounds descriptions; the stricter face checks its 400 itself.
const DESCRIPTION_LENGTH: usize = 500;
const TENANT_LENGTH: usize = 64;
/// Characters.
const PASSWORD_LENGTH: usize = 8;
const PASSWORD_BYTES: usize = 1_024;
/// Each is compared with every path of every request.
const MOST_SCOPES: usize = 32;
/// Each is compared on every use.
const MOST_NETWORKS: usize = 64;

//! Rows to records.

use std::str::FromStr;
use std::time::Duration;

use sqlx::Decode;
use sqlx::Postgres;
use sqlx::Row as _;
use sqlx::Sqlite;
use sqlx::Type;

use crate::audit;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Affected;
use crate::iam::Bounds;
use crate::iam::Change;
use crate::iam::LastUse;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::PepperProof;
use crate::iam::Revocation;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::TenantRecord;
use crate::iam::TokenKind;
use crate::iam::Use;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::database::Row;

/// Reads the columns of one row from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row,
    at: usize,
}

/// What a row holds is not what this program writes.
#[derive(Debug, thiserror::Error)]
#[error("stored {0} makes no sense")]
struct Nonsense(&'static str);

impl<'r> Columns<'r> {
    pub(super) const fn of(row: &'r Row) -> Self {
        Self { row, at: 0 }
    }

    pub(super) fn next<T>(&mut self) -> Result<T, sqlx::Error>
    where
        T: Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let at = self.at;
        self.at += 1;
        match self.row {
            Row::Postgres(row) => row.try_get(at),
            Row::Sqlite(row) => row.try_get(at),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, sqlx::Error> {
        u64::try_from(self.next::<i64>()?).map_err(|_| nonsense("number"))
    }

    fn time(&mut self) -> Result<Timestamp, sqlx::Error> {
        self.next().map(Timestamp::from_nanos)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp::from_nanos))
    }

    pub(super) fn maybe_count(&mut self) -> Result<Option<u32>, sqlx::Error> {
        let count = self.next::<Option<i64>>()?.map(u32::try_from).transpose();
        count.map_err(|_| nonsense("count"))
    }

    fn parsed<T: FromStr>(&mut self, what: &'static str) -> Result<T, sqlx::Error> {
        self.next::<&str>()?.parse().map_err(|_| nonsense(what))
    }

    pub(super) fn list<T: FromStr>(
        &mut self,
        what: &'static str,
        separator: char,
    ) -> Result<Vec<T>, sqlx::Error> {
        listed(self.next()?, separator, what)
    }

    pub(super) fn tenant_id(&mut self) -> Result<TenantId, sqlx::Error> {
        self.next::<&str>().map(TenantId::new)
    }

    fn state(&mut self) -> Result<State, sqlx::Error> {
        match self.next()? {
            "active" => Ok(State::Active),
            // A deleted account reaches nobody but through its tokens, which are all revoked.
            "disabled" | "deleted" => Ok(State::Disabled),
            _ => Err(nonsense("state")),
        }
    }

    pub(super) fn tenant(&mut self) -> Result<TenantRecord, sqlx::Error> {
        Ok(TenantRecord {
            id: self.tenant_id()?,
            state: self.state()?,
            max_pat_lifetime: self.next::<Option<i64>>()?.map(seconds).transpose()?,
            tokens_not_before: self.maybe_time()?,
            max_pats: self.maybe_count()?,
            max_account_pats: self.maybe_count()?,
            created: self.time()?,
        })
    }

    pub(super) fn kind(&mut self) -> Result<AccountKind, sqlx::Error> {
        match self.next()? {
            "machine" => Ok(AccountKind::Machine),
            "person" => Ok(AccountKind::Person),
            _ => Err(nonsense("kind")),
        }
    }

    fn token_kind(&mut self) -> Result<TokenKind, sqlx::Error> {
        match self.next()? {
            "pat" => Ok(TokenKind::Pat),
            "session" => Ok(TokenKind::Session),
            "secret" => Ok(TokenKind::Secret),
            _ => Err(nonsense("token kind")),
        }
    }

    pub(super) fn account(&mut self) -> Result<AccountRecord, sqlx::Error> {
        Ok(AccountRecord {
            id: AccountId::from_raw(self.next()?),
            tenant: self.tenant_id()?,
            kind: self.kind()?,
            username: self.next()?,
            name: self.next()?,
            description: self.next()?,
            roles: self.parsed::<Roles>("role")?,
            suspended: self.parsed::<Roles>("role")?,
            state: self.state()?,
            expires: Expiry::from_secs(self.next()?),
            tokens_not_before: self.maybe_time()?,
            networks: self.list("network", NETWORKS)?,
            created: self.time()?,
            updated: self.time()?,
            version: self.number()?,
            has_secret: self.number()? > 0,
        })
    }

    pub(super) fn pat(&mut self) -> Result<PatRecord, sqlx::Error> {
        Ok(PatRecord {
            id: PatId::from_raw(self.next()?),
            account: AccountId::from_raw(self.next()?),
            tenant: self.tenant_id()?,
            kind: self.token_kind()?,
            name: self.next()?,
            description: self.next()?,
            scopes: self.list("scope", SCOPES)?,
            networks: self.list("network", NETWORKS)?,
            hint: self.next()?,
            created: self.time()?,
            created_by: self.next::<Option<i64>>()?.map(AccountId::from_raw),
            expires: Expiry::from_secs(self.next()?),
            revoked: self.maybe_time()?,
            last_used: self.last_use()?,
            parent: self.next::<Option<i64>>()?.map(PatId::from_raw),
        })
    }

    fn last_use(&mut self) -> Result<Option<LastUse>, sqlx::Error> {
        let (at, address) = (self.maybe_time()?, self.next::<Option<&str>>()?);
        let (Some(at), Some(address)) = (at, address) else {
            return Ok(None);
        };
        let address = address.parse().map_err(|_| nonsense("address"))?;
        Ok(Some(LastUse { at, address }))
    }

    pub(super) fn token_use(&mut self) -> Result<(PatId, Use), sqlx::Error> {
        let id = PatId::from_raw(self.next()?);
        let used = Use {
            at: self.time()?,
            address: self.parsed("address")?,
            protocol: self.next()?,
            client: self.next()?,
        };
        Ok((id, used))
    }

    pub(super) fn digest(&mut self) -> Result<PatDigest, sqlx::Error> {
        let bytes: &[u8] = self.next()?;
        let bytes = bytes.try_into().map_err(|_| nonsense("digest"))?;
        let key = u32::try_from(self.next::<i64>()?).map_err(|_| nonsense("pepper"))?;
        Ok(PatDigest::from_raw(key, bytes))
    }

    pub(super) fn pepper_proof(&mut self) -> Result<PepperProof, sqlx::Error> {
        Ok(PepperProof {
            bytes: self.hash()?,
            key: u32::try_from(self.next::<i64>()?).map_err(|_| nonsense("pepper"))?,
        })
    }

    pub(super) fn revocation(&mut self) -> Result<Revocation, sqlx::Error> {
        let (seq, at, tenant) = (self.number()?, self.time()?, self.tenant_id()?);
        let account = self.next::<Option<i64>>()?.map(AccountId::from_raw);
        let pat = self.next::<Option<i64>>()?.map(PatId::from_raw);
        let change: &str = self.next()?;
        let roles: Option<&str> = self.next()?;
        let expires: Option<i64> = self.next()?;
        let bounds = self.bounds()?;
        let certificate: Option<&str> = self.next()?;
        let subject = match (account, pat, certificate) {
            (Some(account), ..) => Affected::Account(account),
            (None, Some(pat), _) => Affected::Pat(pat),
            (None, None, Some(serial)) => {
                Affected::Certificate(serial.parse().map_err(|_| nonsense("serial"))?)
            }
            (None, None, None) => Affected::Tenant(tenant.clone()),
        };
        let change = match change {
            "bounds" => Change::Bounds(bounds.into()),
            "created" => Change::Created,
            "deleted" => Change::Deleted,
            "disabled" => Change::Disabled,
            "enabled" => Change::Enabled,
            "password" => Change::Password,
            "unlocked" => Change::Unlocked,
            "revoked" => Change::Revoked,
            "shortened" => {
                let expires = expires.ok_or_else(|| nonsense("expiry"))?;
                Change::Shortened(Expiry::from_secs(expires))
            }
            "roles" => Change::Roles(
                roles
                    .unwrap_or_default()
                    .parse()
                    .map_err(|_| nonsense("role"))?,
            ),
            _ => return Err(nonsense("change")),
        };
        Ok(Revocation {
            seq,
            at,
            tenant,
            subject,
            change,
        })
    }

    fn bounds(&mut self) -> Result<Bounds, sqlx::Error> {
        let max_lifetime = self.next::<Option<i64>>()?.map(seconds).transpose()?;
        let not_before = self.maybe_time()?;
        let networks = self.next::<Option<&str>>()?.unwrap_or_default();
        Ok(Bounds {
            max_lifetime,
            not_before,
            networks: listed(networks, NETWORKS, "network")?,
        })
    }

    pub(super) fn hash(&mut self) -> Result<audit::Hash, sqlx::Error> {
        self.next::<&[u8]>()?
            .try_into()
            .map_err(|_| nonsense("hash"))
    }
}

/// Numbers of this program are never negative and fit: what counts above `i64::MAX` is cut there.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The stored form of a list.
pub(super) fn joined<T: ToString>(items: &[T], separator: char) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(separator);
        }
        text.push_str(&item.to_string());
    }
    text
}

/// Between scopes: they have no control characters, but may have commas.
pub(super) const SCOPES: char = '\n';

/// Between networks.
pub(super) const NETWORKS: char = ',';

fn listed<T: FromStr>(
    text: &str,
    separator: char,
    what: &'static str,
) -> Result<Vec<T>, sqlx::Error> {
    let items = text.split(separator).filter(|item| !item.is_empty());
    items
        .map(|item| item.parse().map_err(|_| nonsense(what)))
        .collect()
}

fn seconds(number: i64) -> Result<Duration, sqlx::Error> {
    u64::try_from(number)
        .map(Duration::from_secs)
        .map_err(|_| nonsense("lifetime"))
}

pub(super) fn nonsense(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Nonsense(what)))
}

macro_rules! tenant_columns {
    () => {
        "t.id, t.state, t.max_pat_lifetime, t.tokens_not_before, t.max_pats, t.max_account_pats, \
         t.created"
    };
}

macro_rules! account_columns {
    () => {
        "a.id, a.tenant, a.kind, a.username, a.name, a.description, a.roles, a.suspended, a.state, \
         a.expires, a.tokens_not_before, a.networks, a.created, a.updated, a.version, (SELECT count(*) \
         FROM pats s WHERE s.account = a.id AND s.kind = 'secret' AND s.revoked IS NULL)"
    };
}

macro_rules! pat_columns {
    () => {
        "p.id, p.account, p.tenant, p.kind, p.name, p.description, p.scopes, p.networks, p.hint, \
         p.created, p.created_by, p.expires, p.revoked, p.last_used, p.last_used_from, p.parent"
    };
}

pub(super) use account_columns;
pub(super) use pat_columns;
pub(super) use tenant_columns;

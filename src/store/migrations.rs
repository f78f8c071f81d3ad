//! The schema, step by step, for each database. A step that was released is never changed.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;

use super::database::Pool;

/// All steps for the database of `pool`, compiled in.
pub(super) fn migrator(pool: &Pool) -> Migrator {
    let migration = |step: &Step| {
        let sql = match pool {
            Pool::Postgres(..) => step.postgres,
            Pool::Sqlite(_) => step.sqlite,
        };
        Migration::new(
            step.version,
            Cow::Borrowed(step.description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    let mut migrator = Migrator::with_migrations(STEPS.iter().map(migration).collect());
    // The transaction around all steps is the only writer.
    migrator.set_locking(false);
    migrator
}

struct Step {
    version: i64,
    description: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

macro_rules! step {
    ($version:literal, $description:literal, $file:literal) => {
        Step {
            version: $version,
            description: $description,
            postgres: include_str!(concat!("migrations/postgres/", $file)),
            sqlite: include_str!(concat!("migrations/sqlite/", $file)),
        }
    };
}

const STEPS: &[Step] = &[
    step!(1, "identity", "0001_identity.sql"),
    step!(2, "sessions", "0002_sessions.sql"),
    step!(3, "peppers", "0003_peppers.sql"),
    step!(4, "policy", "0004_policy.sql"),
    step!(7, "audit", "0007_audit.sql"),
    step!(8, "certificates", "0008_certificates.sql"),
    step!(9, "revoked certificates", "0009_certificates.sql"),
    step!(10, "datastore", "0010_datastore.sql"),
    step!(11, "addresses", "0011_addresses.sql"),
    step!(12, "grants", "0012_grants.sql"),
    step!(13, "outlets of the audit trail", "0013_outlets.sql"),
    step!(14, "tokens of tokens", "0014_parents.sql"),
    step!(15, "notices", "0015_notices.sql"),
    step!(17, "entry changes", "0017_entry_changes.sql"),
    step!(18, "provisional passwords", "0018_passwords.sql"),
];

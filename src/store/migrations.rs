//! The schema, step by step. A step that was released is never changed.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::Migration;
use sqlx::migrate::MigrationType;
use sqlx::migrate::Migrator;

/// All steps, compiled in.
pub(super) fn migrator() -> Migrator {
    let migration = |(version, description, sql): &(i64, &'static str, &'static str)| {
        let description = Cow::Borrowed(*description);
        Migration::new(
            *version,
            description,
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
}

const STEPS: &[(i64, &str, &str)] = &[
    (1, "identity", include_str!("migrations/0001_identity.sql")),
    (2, "sessions", include_str!("migrations/0002_sessions.sql")),
    (
        9,
        "certificates",
        include_str!("migrations/0009_certificates.sql"),
    ),
];

//! What an error of the database means.

use sqlx::postgres::PgDatabaseError;

use crate::iam::port::Fault;
use crate::iam::port::RecordsError;

/// Logs the error, here alone, and says what is left for the caller to know.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the end of an error's way, and the form that `map_err` takes"
)]
pub(super) fn unavailable(error: sqlx::Error) -> RecordsError {
    let fault = fault_of(&error);
    tracing::error!(error = %error, fault = %fault, "database failed");
    RecordsError::Unavailable(fault)
}

/// Whose fault it is, by the database's own code.
pub(super) fn fault_of(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(database) => {
            match (
                database.try_downcast_ref::<PgDatabaseError>(),
                database.code(),
            ) {
                (Some(database), _) => fault_of_state(database.code()),
                (None, Some(number)) => fault_of_number(&number),
                (None, None) => Fault::Other,
            }
        }
        sqlx::Error::PoolTimedOut => Fault::Busy,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::Corrupt,
        _ => Fault::Other,
    }
}

/// By PostgreSQL's code (its manual, appendix A).
fn fault_of_state(state: &str) -> Fault {
    match state {
        // Too many connections, a lock or a statement that took too long, a deadlock.
        "53300" | "55P03" | "57014" | "40P01" | "40001" => Fault::Busy,
        "53100" => Fault::Full,
        "25006" => Fault::ReadOnly,
        "XX001" | "XX002" => Fault::Corrupt,
        _ => Fault::Other,
    }
}

/// By SQLite's primary result code.
fn fault_of_number(number: &str) -> Fault {
    let extended: Option<u32> = number.parse().ok();
    match extended.map(|extended| extended & PRIMARY) {
        Some(BUSY | LOCKED) => Fault::Busy,
        Some(CORRUPT | NOT_A_DATABASE) => Fault::Corrupt,
        Some(FULL) => Fault::Full,
        Some(READ_ONLY) => Fault::ReadOnly,
        _ => Fault::Other,
    }
}

/// The low byte of an extended result code.
const PRIMARY: u32 = 0xff;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const NOT_A_DATABASE: u32 = 26;

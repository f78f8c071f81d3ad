//! What an error of the database means.

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

/// Whose fault it is, by SQLite's primary result code.
pub(super) fn fault_of(error: &sqlx::Error) -> Fault {
    let code = match error {
        sqlx::Error::Database(database) => database.code(),
        sqlx::Error::PoolTimedOut => return Fault::Busy,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => return Fault::Corrupt,
        _ => None,
    };
    let extended: Option<u32> = code.and_then(|code| code.parse().ok());
    match extended.map(|extended| extended & PRIMARY) {
        Some(BUSY | LOCKED) => Fault::Busy,
        Some(CORRUPT | NOT_A_DATABASE) => Fault::Corrupt,
        Some(FULL) => Fault::Full,
        Some(READ_ONLY) => Fault::ReadOnly,
        _ => Fault::Other,
    }
}

const PRIMARY: u32 = 0xff;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const NOT_A_DATABASE: u32 = 26;

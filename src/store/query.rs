//! One statement, written once for both databases.
//!
//! Placeholders are `$1`, `$2`. What stands in a text means the same to SQLite and PostgreSQL: `ON CONFLICT`,
//! `RETURNING`, `CASE`, `coalesce`, `count(*)`, `min`, `max`, `count(*) FILTER`. Whole numbers are 64 bits wide on both sides; PostgreSQL makes
//! a `sum` of them wider, and a plain `1` narrower, so such a column is cast to `BIGINT` before it is read.

use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::SqlStr;

use super::database::On;
use super::database::Outcome;
use super::database::Pool;
use super::database::Row;
use super::database::Value;

/// A statement and the values of its placeholders.
pub(super) struct Query {
    text: SqlStr,
    values: Vec<Value>,
}

/// A statement that is written in the program.
pub(super) fn query(text: &'static str) -> Query {
    Query {
        text: text.into_sql_str(),
        values: Vec::new(),
    }
}

impl Query {
    /// The value of the next placeholder.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Returns how many rows were touched.
    pub(super) async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<u64, sqlx::Error> {
        Ok(self.run(on.into()).await?.rows_affected)
    }

    /// All rows.
    pub(super) async fn fetch_all<'c>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(self.run(on.into()).await?.rows)
    }

    /// The first row, which the text makes the only one.
    pub(super) async fn fetch_optional<'c>(
        self,
        on: impl Into<On<'c>>,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.run(on.into()).await?.rows.into_iter().next())
    }

    /// The row that there must be.
    pub(super) async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on)
            .await?
            .ok_or(sqlx::Error::RowNotFound)
    }

    async fn run(self, on: On<'_>) -> Result<Outcome, sqlx::Error> {
        on.run(self.text, self.values).await
    }
}

/// A statement put together from pieces: its text from the program, everything else as values.
pub(super) struct Builder {
    text: String,
    values: Vec<Value>,
    position: &'static str,
}

impl Builder {
    /// Begins a statement for the database of `pool`.
    pub(super) fn new(text: &'static str, pool: &Pool) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
            position: match pool {
                Pool::Postgres(..) => "strpos",
                Pool::Sqlite(_) => "instr",
            },
        }
    }

    /// Adds the name of the function that tells where in its first argument the second begins, from 1; 0 if nowhere.
    pub(super) fn push_position(&mut self) -> &mut Self {
        self.push(self.position)
    }

    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder and its value.
    pub(super) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    pub(super) fn build(self) -> Query {
        Query {
            // Made of pieces that are written in the program, and of numbers.
            text: AssertSqlSafe(self.text).into_sql_str(),
            values: self.values,
        }
    }
}

macro_rules! value {
    ($($kind:ty => $variant:ident $convert:expr;)*) => {
        $(
            impl From<$kind> for Value {
                fn from(value: $kind) -> Self {
                    Self::$variant(Some($convert(value)))
                }
            }

            impl From<Option<$kind>> for Value {
                fn from(value: Option<$kind>) -> Self {
                    Self::$variant(value.map($convert))
                }
            }
        )*
    };
}

value! {
    bool => Bool std::convert::identity;
    i64 => Int std::convert::identity;
    u32 => Int i64::from;
    &str => Text str::to_owned;
    &String => Text String::clone;
    String => Text std::convert::identity;
    &[u8] => Bytes <[u8]>::to_vec;
}

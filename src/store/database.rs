//! One database or the other behind the same calls: SQLite embedded, or PostgreSQL shared by several gateways.

use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::Arguments as _;
use sqlx::Either;
use sqlx::Executor;
use sqlx::IntoArguments;
use sqlx::PgPool;
use sqlx::Postgres;
use sqlx::SqlStr;
use sqlx::Sqlite;
use sqlx::SqlitePool;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// Connections to take turns with.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// With the longest that a statement may take: a server that is cut off says nothing.
    Postgres(PgPool, Duration),
    Sqlite(SqlitePool),
}

/// A transaction. Dropped before its commit, it is rolled back.
#[derive(Debug)]
pub(super) enum Transaction {
    Postgres(sqlx::Transaction<'static, Postgres>, Duration),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

/// Where a statement runs.
#[derive(Debug)]
pub(super) enum On<'c> {
    Pool(&'c Pool),
    Transaction(&'c mut Transaction),
}

/// One row of an answer.
pub(super) enum Row {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

/// A value for a placeholder. An empty one still has a type, which PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bool(Option<bool>),
    Bytes(Option<Vec<u8>>),
    Int(Option<i64>),
    Text(Option<String>),
}

/// What a statement did.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) rows: Vec<Row>,
    pub(super) rows_affected: u64,
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(transaction, deadline) => within(deadline, transaction.commit()).await,
            Self::Sqlite(transaction) => transaction.commit().await,
        }
    }
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut Transaction> for On<'c> {
    fn from(transaction: &'c mut Transaction) -> Self {
        Self::Transaction(transaction)
    }
}

impl On<'_> {
    /// Runs one statement to its end.
    pub(super) async fn run(
        self,
        text: SqlStr,
        values: Vec<Value>,
    ) -> Result<Outcome, sqlx::Error> {
        match self {
            Self::Pool(Pool::Postgres(pool, deadline)) => {
                within(*deadline, run::<Postgres, _>(pool, text, values)).await
            }
            Self::Pool(Pool::Sqlite(pool)) => run::<Sqlite, _>(pool, text, values).await,
            Self::Transaction(Transaction::Postgres(transaction, deadline)) => {
                within(
                    *deadline,
                    run::<Postgres, _>(&mut **transaction, text, values),
                )
                .await
            }
            Self::Transaction(Transaction::Sqlite(transaction)) => {
                run::<Sqlite, _>(&mut **transaction, text, values).await
            }
        }
    }
}

/// What does not end by then has failed.
pub(super) async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

/// What the two drivers do alike, but not through one trait.
trait Backend: sqlx::Database {
    fn bind(arguments: &mut Self::Arguments, value: Value) -> Result<(), BoxDynError>;

    fn row(row: Self::Row) -> Row;

    fn rows_affected(result: &Self::QueryResult) -> u64;
}

macro_rules! backend {
    ($database:ident) => {
        impl Backend for $database {
            fn bind(arguments: &mut Self::Arguments, value: Value) -> Result<(), BoxDynError> {
                match value {
                    Value::Bool(value) => arguments.add(value),
                    Value::Bytes(value) => arguments.add(value),
                    Value::Int(value) => arguments.add(value),
                    Value::Text(value) => arguments.add(value),
                }
            }

            fn row(row: Self::Row) -> Row {
                Row::$database(row)
            }

            fn rows_affected(result: &Self::QueryResult) -> u64 {
                result.rows_affected()
            }
        }
    };
}

backend!(Postgres);
backend!(Sqlite);

async fn run<'c, D, E>(on: E, text: SqlStr, values: Vec<Value>) -> Result<Outcome, sqlx::Error>
where
    D: Backend,
    D::Arguments: IntoArguments<D>,
    E: Executor<'c, Database = D>,
{
    let mut arguments = D::Arguments::default();
    for value in values {
        D::bind(&mut arguments, value).map_err(sqlx::Error::Encode)?;
    }
    let mut answer = on.fetch_many(sqlx::query_with(text, arguments));
    let mut outcome = Outcome::default();
    while let Some(part) = answer.try_next().await? {
        match part {
            Either::Left(result) => outcome.rows_affected += D::rows_affected(&result),
            Either::Right(row) => outcome.rows.push(D::row(row)),
        }
    }
    Ok(outcome)
}

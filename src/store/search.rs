//! Accounts by conditions, in a chosen order, a page at a time.

use crate::iam::AccountKind;
use crate::iam::AccountQuery;
use crate::iam::AccountSort;
use crate::iam::AccountSummary;
use crate::iam::Filter;
use crate::iam::TextField;
use crate::iam::TextTest;
use crate::iam::TimeField;
use crate::iam::port::PAGE_LIMIT;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::query::Builder;
use super::records::all;
use super::records::one;
use super::rows::account_columns;
use super::rows::stored;

/// The page, and how many accounts there are on all pages.
pub(super) async fn run(
    store: &Store,
    tenant: &TenantId,
    query: &AccountQuery,
    now: Timestamp,
) -> Result<(Vec<AccountSummary>, u64), RecordsError> {
    let mut counting = Builder::new("SELECT count(*)", &store.readers);
    push_source(&mut counting, tenant, query, now);
    let total = counting.build().fetch_optional(&store.readers).await;
    let total = one(total, |mut columns| columns.number())?.unwrap_or(0);

    let columns = concat!(
        "SELECT ",
        account_columns!(),
        ", coalesce(s.active, 0), s.next, s.used"
    );
    let mut reading = Builder::new(columns, &store.readers);
    push_source(&mut reading, tenant, query, now);
    push_order(&mut reading, query);
    let rows = reading.build().fetch_all(&store.readers).await;
    let accounts = all(rows, |mut columns| {
        Ok(AccountSummary {
            account: columns.account()?,
            active: columns.number()?,
            next_expiry: columns.next::<Option<i64>>()?.map(Expiry::from_secs),
            last_used: columns.maybe_time()?,
        })
    })?;
    Ok((accounts, total))
}

/// What is text of the statement is written here; what came from a peer is bound.
fn push_source(sql: &mut Builder, tenant: &TenantId, query: &AccountQuery, now: Timestamp) {
    let tenant = tenant.as_str().to_owned();
    let now = now.secs();
    sql.push(" FROM accounts a LEFT JOIN (SELECT p.account, ")
        .push("count(*) FILTER (WHERE p.counts) AS active, ")
        .push("min(p.expires) FILTER (WHERE p.counts) AS next, max(p.last_used) AS used ")
        .push("FROM (SELECT i.account, i.expires, i.last_used, i.revoked IS NULL AND i.expires > ")
        .push_bind(now)
        .push(" AND i.created >= coalesce(b.tokens_not_before, i.created) ")
        .push("AND i.created >= coalesce(t.tokens_not_before, i.created) ")
        .push("AND (t.max_pat_lifetime IS NULL OR i.created / 1000000000 + t.max_pat_lifetime > ")
        .push_bind(now)
        .push(") AS counts FROM pats i JOIN accounts b ON b.id = i.account ")
        .push("JOIN tenants t ON t.id = i.tenant WHERE i.kind = 'pat' AND i.tenant = ")
        .push_bind(tenant.clone())
        .push(") p GROUP BY p.account) s ON s.account = a.id WHERE a.state <> 'deleted' AND a.tenant = ")
        .push_bind(tenant);
    if let Some(kind) = query.kind {
        sql.push(" AND a.kind = ")
            .push_bind(AccountKind::as_str(kind));
    }
    for filter in &query.filters {
        sql.push(" AND ");
        push_filter(sql, filter);
    }
}

fn push_filter(sql: &mut Builder, filter: &Filter) {
    match filter {
        Filter::Role(roles) => {
            sql.push("(FALSE");
            for role in roles {
                sql.push(" OR ")
                    .push_position()
                    .push("(',' || a.roles || ',', ")
                    .push_bind(format!(",{role},"))
                    .push(") > 0");
            }
            sql.push(")");
        }
        Filter::State(state) => {
            sql.push("a.state = ").push_bind(state.as_str());
        }
        Filter::Text(field, test) => push_text(sql, *field, test),
        Filter::Before(field, at) => {
            sql.push(time_column(*field)).push(" < ");
            push_time(sql, *field, *at);
        }
        Filter::UnusedSince(at) => {
            sql.push("a.created < ").push_bind(at.nanos());
            sql.push(" AND coalesce(s.used, a.created) < ");
            sql.push_bind(at.nanos());
        }
        Filter::After(field, at) => {
            sql.push(time_column(*field)).push(" > ");
            push_time(sql, *field, *at);
        }
    }
}

fn push_text(sql: &mut Builder, field: TextField, test: &TextTest) {
    let column = match field {
        TextField::Description => "a.description",
        TextField::Name => "a.name",
        TextField::Username => "a.username_norm",
    };
    let given = |text: &String| match field {
        TextField::Username => text.to_lowercase(),
        TextField::Description | TextField::Name => text.clone(),
    };
    match test {
        TextTest::Among(texts) => {
            // Not an empty list, which PostgreSQL does not take.
            sql.push(column).push(" IN (NULL");
            for text in texts {
                sql.push(", ").push_bind(given(text));
            }
            sql.push(")");
        }
        TextTest::Contains(part) => {
            sql.push_position().push("(").push(column).push(", ");
            sql.push_bind(given(part)).push(") > 0");
        }
        TextTest::StartsWith(start) => {
            sql.push_position().push("(").push(column).push(", ");
            sql.push_bind(given(start)).push(") = 1");
        }
    }
}

const fn time_column(field: TimeField) -> &'static str {
    match field {
        TimeField::Created => "a.created",
        TimeField::LastUsed => "s.used",
        TimeField::NextExpiry => "s.next",
    }
}

fn push_time(sql: &mut Builder, field: TimeField, at: Timestamp) {
    sql.push_bind(match field {
        TimeField::NextExpiry => at.secs(),
        TimeField::Created | TimeField::LastUsed => at.nanos(),
    });
}

fn push_order(sql: &mut Builder, query: &AccountQuery) {
    sql.push(" ORDER BY ");
    for (sort, descending) in &query.sort {
        sql.push(match sort {
            AccountSort::Created => "a.created",
            AccountSort::LastUsed => "coalesce(s.used, 0)",
            AccountSort::Name => "a.name",
            AccountSort::NextExpiry => "coalesce(s.next, 253402300800)",
            AccountSort::Username => "a.username_norm",
        });
        sql.push(if *descending { " DESC, " } else { ", " });
    }
    sql.push("a.created DESC, a.id LIMIT ")
        .push_bind(query.limit.min(PAGE_LIMIT))
        .push(" OFFSET ")
        .push_bind(stored(query.offset));
}

//! Which accounts a list shows.

use crate::model::Expiry;
use crate::model::Timestamp;

use super::AccountKind;
use super::AccountRecord;
use super::Role;
use super::State;

/// Which accounts of a tenant, in which order, and which part of them. Ends with the newest first and the id, so that
/// the order is total and pages do not overlap.
#[derive(Clone, Debug, Default)]
pub struct AccountQuery {
    /// Only these.
    pub kind: Option<AccountKind>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// By what, and whether the greatest comes first.
    pub sort: Vec<(AccountSort, bool)>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to show, at most [`crate::iam::port::PAGE_LIMIT`].
    pub limit: u32,
}

/// A condition on accounts.
#[derive(Clone, Debug)]
pub enum Filter {
    /// It has any of these roles.
    Role(Vec<Role>),
    /// It is in this state.
    State(State),
    /// A text is so.
    Text(TextField, TextTest),
    /// A time is before this.
    Before(TimeField, Timestamp),
    /// A time is after this.
    After(TimeField, Timestamp),
    /// None of its tokens was used since, and it was there before.
    UnusedSince(Timestamp),
}

/// The texts of an account. User names are compared without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The description.
    Description,
    /// The name.
    Name,
    /// The user name.
    Username,
}

/// How a text should be.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// One of these.
    Among(Vec<String>),
    /// This is in it.
    Contains(String),
    /// It begins so.
    StartsWith(String),
}

/// The times of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeField {
    /// When it was created.
    Created,
    /// When any of its tokens was last used.
    LastUsed,
    /// When the first of its active tokens expires.
    NextExpiry,
}

/// By what accounts are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountSort {
    /// When it was created.
    Created,
    /// When any of its tokens was last used; never is earliest.
    LastUsed,
    /// The name.
    Name,
    /// When the first of its active tokens expires; without any is last.
    NextExpiry,
    /// The user name.
    Username,
}

/// An account and what its Personal Access Tokens come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// The account.
    pub account: AccountRecord,
    /// How many tokens are neither revoked nor expired.
    pub active: u64,
    /// When the first of them expires.
    pub next_expiry: Option<Expiry>,
    /// When any token was last used.
    pub last_used: Option<Timestamp>,
}

//! The messages that calls take (iam 2.5). Both spellings of each name are understood.

use serde::Deserialize;

use super::json::ListQuery;
use super::json::Symbol;

/// `AddMachineUserRequest` and `UpdateMachineRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Machine {
    #[serde(alias = "user_name")]
    pub(super) user_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(alias = "access_token_type")]
    pub(super) access_token_type: Option<Symbol>,
    #[serde(alias = "user_id")]
    pub(super) user_id: Option<String>,
}

/// `AddPersonalAccessTokenRequest`, of both versions.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NewToken {
    #[serde(alias = "expiration_date")]
    pub(super) expiration_date: Option<String>,
}

/// `ListPersonalAccessTokensRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listing {
    pub(super) query: Option<ListQuery>,
}

/// `AddUserGrantRequest` and `UpdateUserGrantRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Grant {
    #[serde(alias = "project_id")]
    pub(super) project_id: Option<String>,
    #[serde(alias = "project_grant_id")]
    pub(super) project_grant_id: Option<String>,
    #[serde(alias = "role_keys")]
    pub(super) role_keys: Option<Vec<String>>,
}

/// `BulkRemoveUserGrantRequest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Grants {
    #[serde(alias = "grant_id")]
    pub(super) grant_id: Option<Vec<String>>,
}

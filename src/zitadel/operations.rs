//! What the IAM API offers (iam 2.5): the router and the OpenAPI description are made from this.

use crate::openapi::Access;
use crate::openapi::Body;
use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;

use super::schemas as s;

/// What holds for all of them.
pub(super) const DOCUMENT: Document = Document {
    failures: &[400, 401, 403, 404, 405, 409, 413, 429, 500, 503],
    failure: &s::STATUS,
    failure_media: &["application/json"],
    media: &["application/json"],
};

const CALL: Operation = Operation {
    method: Method::Post,
    path: "",
    id: "",
    summary: "",
    access: Access::Bearer,
    query: &[],
    body: Body::None,
    success: 200,
    answer: Some(&s::CHANGED),
    failures: &[],
};

macro_rules! users {
    ($rest:literal) => {
        concat!("/management/v1/users", $rest)
    };
}

pub(super) const ME: Operation = Operation {
    method: Method::Get,
    path: "/auth/v1/users/me",
    id: "getMyUser",
    summary: "The caller itself.",
    answer: Some(&s::USER_ANSWER),
    ..CALL
};

pub(super) const ORG: Operation = Operation {
    method: Method::Get,
    path: "/management/v1/orgs/me",
    id: "getMyOrg",
    summary: "The organization in which the caller works.",
    answer: Some(&s::ORG_ANSWER),
    ..CALL
};

pub(super) const USER_SEARCH: Operation = Operation {
    path: users!("/_search"),
    id: "listUsers",
    summary: "Users that fit all conditions.",
    body: Body::Optional(&s::USER_SEARCH),
    answer: Some(&s::USERS),
    ..CALL
};

pub(super) const ADD_MACHINE: Operation = Operation {
    path: users!("/machine"),
    id: "addMachineUser",
    summary: "A new service user.",
    body: Body::Json(&s::MACHINE),
    answer: Some(&s::MACHINE_ADDED),
    ..CALL
};

pub(super) const UPDATE_MACHINE: Operation = Operation {
    method: Method::Put,
    path: users!("/{user}/machine"),
    id: "updateMachine",
    summary: "Another name and description.",
    body: Body::Json(&s::MACHINE),
    ..CALL
};

pub(super) const GET_USER: Operation = Operation {
    method: Method::Get,
    path: users!("/{user}"),
    id: "getUserByID",
    summary: "One user.",
    answer: Some(&s::USER_ANSWER),
    ..CALL
};

pub(super) const REMOVE_USER: Operation = Operation {
    method: Method::Delete,
    path: users!("/{user}"),
    id: "removeUser",
    summary: "A user goes for good, and its tokens with it.",
    ..CALL
};

pub(super) const SET_SECRET: Operation = Operation {
    method: Method::Put,
    path: users!("/{user}/secret"),
    id: "generateMachineSecret",
    summary: "A new client secret for the token endpoint, shown this once.",
    answer: Some(&s::SECRET),
    ..CALL
};

pub(super) const REMOVE_SECRET: Operation = Operation {
    method: Method::Delete,
    path: users!("/{user}/secret"),
    id: "removeMachineSecret",
    summary: "No client secret any more.",
    ..CALL
};

pub(super) const DEACTIVATE: Operation = Operation {
    path: users!("/{user}/_deactivate"),
    id: "deactivateUser",
    summary: "A user is refused until it is reactivated.",
    ..CALL
};

pub(super) const LOCK: Operation = Operation {
    path: users!("/{user}/_lock"),
    id: "lockUser",
    summary: "A user is refused until it is unlocked.",
    ..CALL
};

pub(super) const REACTIVATE: Operation = Operation {
    path: users!("/{user}/_reactivate"),
    id: "reactivateUser",
    summary: "A user is let in again.",
    ..CALL
};

pub(super) const UNLOCK: Operation = Operation {
    path: users!("/{user}/_unlock"),
    id: "unlockUser",
    summary: "A user is let in again.",
    ..CALL
};

pub(super) const ADD_PAT: Operation = Operation {
    path: users!("/{user}/pats"),
    id: "addPersonalAccessToken",
    summary: "A new token, whose secret is shown this once.",
    body: Body::Optional(&s::NEW_PAT),
    answer: Some(&s::PAT_ADDED),
    ..CALL
};

pub(super) const SEARCH_PATS: Operation = Operation {
    path: users!("/{user}/pats/_search"),
    id: "listPersonalAccessTokens",
    summary: "The tokens of a user.",
    body: Body::Optional(&s::LISTING),
    answer: Some(&s::PATS),
    ..CALL
};

pub(super) const GET_PAT: Operation = Operation {
    method: Method::Get,
    path: users!("/{user}/pats/{token}"),
    id: "getPersonalAccessTokenByIDs",
    summary: "What is known of a token.",
    answer: Some(&s::PAT_ANSWER),
    ..CALL
};

pub(super) const REMOVE_PAT: Operation = Operation {
    method: Method::Delete,
    path: users!("/{user}/pats/{token}"),
    id: "removePersonalAccessToken",
    summary: "A token is revoked.",
    ..CALL
};

pub(super) const SEARCH_GRANTS: Operation = Operation {
    path: users!("/grants/_search"),
    id: "listUserGrants",
    summary: "Authorizations that fit all conditions.",
    body: Body::Optional(&s::GRANT_SEARCH),
    answer: Some(&s::GRANTS),
    ..CALL
};

pub(super) const ADD_GRANT: Operation = Operation {
    path: users!("/{user}/grants"),
    id: "addUserGrant",
    summary: "Authorizes a user that has no role yet.",
    body: Body::Json(&s::NEW_GRANT),
    answer: Some(&s::GRANT_ADDED),
    ..CALL
};

pub(super) const GET_GRANT: Operation = Operation {
    method: Method::Get,
    path: users!("/{user}/grants/{grant}"),
    id: "getUserGrantByID",
    summary: "One authorization.",
    answer: Some(&s::GRANT_ANSWER),
    ..CALL
};

pub(super) const UPDATE_GRANT: Operation = Operation {
    method: Method::Put,
    path: users!("/{user}/grants/{grant}"),
    id: "updateUserGrant",
    summary: "Other roles.",
    body: Body::Json(&s::NEW_GRANT),
    ..CALL
};

pub(super) const REMOVE_GRANT: Operation = Operation {
    method: Method::Delete,
    path: users!("/{user}/grants/{grant}"),
    id: "removeUserGrant",
    summary: "No role any more.",
    ..CALL
};

pub(super) const DEACTIVATE_GRANT: Operation = Operation {
    path: users!("/{user}/grants/{grant}/_deactivate"),
    id: "deactivateUserGrant",
    summary: "No role until the authorization is reactivated.",
    ..CALL
};

pub(super) const REACTIVATE_GRANT: Operation = Operation {
    path: users!("/{user}/grants/{grant}/_reactivate"),
    id: "reactivateUserGrant",
    summary: "The roles of an inactive authorization count again.",
    ..CALL
};

pub(super) const REMOVE_GRANTS: Operation = Operation {
    method: Method::Delete,
    path: "/management/v1/user_grants/_bulk",
    id: "bulkRemoveUserGrant",
    summary: "Several authorizations go at once.",
    body: Body::Json(&s::GRANT_IDS),
    answer: Some(&s::EMPTY),
    ..CALL
};

pub(super) const V2_SEARCH: Operation = Operation {
    path: "/v2/users/pats/search",
    id: "listPersonalAccessTokensV2",
    summary: "Tokens that fit all filters.",
    body: Body::Optional(&s::V2_SEARCH),
    answer: Some(&s::V2_PATS),
    ..CALL
};

pub(super) const V2_ADD: Operation = Operation {
    path: "/v2/users/{user}/pats",
    id: "addPersonalAccessTokenV2",
    summary: "A new token, whose secret is shown this once.",
    body: Body::Json(&s::NEW_PAT),
    answer: Some(&s::V2_ADDED),
    ..CALL
};

pub(super) const V2_REMOVE: Operation = Operation {
    method: Method::Delete,
    path: "/v2/users/{user}/pats/{token}",
    id: "removePersonalAccessTokenV2",
    summary: "A token is revoked; that it is not there is no failure.",
    answer: Some(&s::V2_REMOVED),
    ..CALL
};

//! The forms of messages. What is zero is left out of an answer, so little of it is required.

use crate::openapi::Kind;
use crate::openapi::Kind::Any;
use crate::openapi::Kind::Bool;
use crate::openapi::Kind::Int;
use crate::openapi::Kind::List;
use crate::openapi::Kind::Object;
use crate::openapi::Kind::Text;
use crate::openapi::Kind::Time;
use crate::openapi::Member;
use crate::openapi::Schema;
use crate::openapi::may;
use crate::openapi::must;
use crate::openapi::nullable;

const TEXTS: Kind = List(&Text);

const DETAILS: Schema = Schema {
    name: "ObjectDetails",
    members: &[
        may("sequence", Text),
        may("creationDate", Time),
        may("changeDate", Time),
        may("resourceOwner", Text),
    ],
};

const DETAILED: Member = must("details", Object(&DETAILS));

pub(super) const CHANGED: Schema = Schema {
    name: "Changed",
    members: &[DETAILED],
};

pub(super) const EMPTY: Schema = Schema {
    name: "Empty",
    members: &[],
};

const LIST_DETAILS: Schema = Schema {
    name: "ListDetails",
    members: &[may("totalResult", Text), may("viewTimestamp", Time)],
};

const LISTED: Member = must("details", Object(&LIST_DETAILS));

const LIST_QUERY: Schema = Schema {
    name: "ListQuery",
    members: &[
        nullable("offset", Any),
        nullable("limit", Any),
        nullable("asc", Bool),
    ],
};

pub(super) const LISTING: Schema = Schema {
    name: "Listing",
    members: &[nullable("query", Object(&LIST_QUERY))],
};

pub(super) const USER: Schema = Schema {
    name: "User",
    members: &[
        must("id", Text),
        DETAILED,
        must("state", Text),
        must("userName", Text),
        must("loginNames", TEXTS),
        must("preferredLoginName", Text),
        may("human", Any),
        may("machine", Object(&MACHINE_OF_USER)),
    ],
};

const MACHINE_OF_USER: Schema = Schema {
    name: "MachineOfUser",
    members: &[
        may("name", Text),
        may("description", Text),
        may("hasSecret", Bool),
    ],
};

pub(super) const USER_ANSWER: Schema = Schema {
    name: "UserAnswer",
    members: &[must("user", Object(&USER))],
};

pub(super) const USERS: Schema = Schema {
    name: "Users",
    members: &[
        LISTED,
        may("sortingColumn", Text),
        may("result", List(&Object(&USER))),
    ],
};

pub(super) const USER_SEARCH: Schema = Schema {
    name: "UserSearch",
    members: &[
        nullable("query", Object(&LIST_QUERY)),
        nullable("sortingColumn", Any),
        nullable("queries", List(&Any)),
    ],
};

pub(super) const MACHINE: Schema = Schema {
    name: "Machine",
    members: &[
        may("userName", Text),
        must("name", Text),
        nullable("description", Text),
        nullable("accessTokenType", Any),
        nullable("userId", Text),
    ],
};

pub(super) const MACHINE_ADDED: Schema = Schema {
    name: "MachineAdded",
    members: &[must("userId", Text), DETAILED],
};

pub(super) const SECRET: Schema = Schema {
    name: "Secret",
    members: &[must("clientId", Text), must("clientSecret", Text), DETAILED],
};

pub(super) const NEW_PAT: Schema = Schema {
    name: "NewPersonalAccessToken",
    members: &[nullable("expirationDate", Time)],
};

pub(super) const PAT_ADDED: Schema = Schema {
    name: "PersonalAccessTokenAdded",
    members: &[must("tokenId", Text), must("token", Text), DETAILED],
};

const PAT: Schema = Schema {
    name: "PersonalAccessToken",
    members: &[
        must("id", Text),
        DETAILED,
        must("expirationDate", Time),
        must("scopes", TEXTS),
    ],
};

pub(super) const PAT_ANSWER: Schema = Schema {
    name: "PersonalAccessTokenAnswer",
    members: &[must("token", Object(&PAT))],
};

pub(super) const PATS: Schema = Schema {
    name: "PersonalAccessTokens",
    members: &[LISTED, may("result", List(&Object(&PAT)))],
};

pub(super) const NEW_GRANT: Schema = Schema {
    name: "NewUserGrant",
    members: &[
        may("projectId", Text),
        nullable("projectGrantId", Text),
        must("roleKeys", TEXTS),
    ],
};

pub(super) const GRANT_ADDED: Schema = Schema {
    name: "UserGrantAdded",
    members: &[must("userGrantId", Text), DETAILED],
};

pub(super) const GRANT_IDS: Schema = Schema {
    name: "UserGrantIds",
    members: &[must("grantId", TEXTS)],
};

const GRANT: Schema = Schema {
    name: "UserGrant",
    members: &[
        must("id", Text),
        DETAILED,
        must("roleKeys", TEXTS),
        must("state", Text),
        must("userId", Text),
        must("userName", Text),
        must("displayName", Text),
        must("orgId", Text),
        must("orgName", Text),
        must("orgDomain", Text),
        must("projectId", Text),
        must("projectName", Text),
        must("preferredLoginName", Text),
        must("userType", Text),
    ],
};

pub(super) const GRANT_ANSWER: Schema = Schema {
    name: "UserGrantAnswer",
    members: &[must("userGrant", Object(&GRANT))],
};

pub(super) const GRANTS: Schema = Schema {
    name: "UserGrants",
    members: &[LISTED, may("result", List(&Object(&GRANT)))],
};

pub(super) const GRANT_SEARCH: Schema = Schema {
    name: "UserGrantSearch",
    members: &[
        nullable("query", Object(&LIST_QUERY)),
        nullable("queries", List(&Any)),
    ],
};

pub(super) const ORG_ANSWER: Schema = Schema {
    name: "OrgAnswer",
    members: &[must("org", Object(&ORG))],
};

const ORG: Schema = Schema {
    name: "Org",
    members: &[
        must("id", Text),
        DETAILED,
        must("state", Text),
        must("name", Text),
        must("primaryDomain", Text),
    ],
};

pub(super) const V2_SEARCH: Schema = Schema {
    name: "PersonalAccessTokenSearchV2",
    members: &[
        nullable("pagination", Object(&LIST_QUERY)),
        nullable("sortingColumn", Any),
        nullable("filters", List(&Any)),
    ],
};

pub(super) const V2_PATS: Schema = Schema {
    name: "PersonalAccessTokensV2",
    members: &[
        must("pagination", Object(&PAGINATION)),
        may("result", List(&Object(&V2_PAT))),
    ],
};

const PAGINATION: Schema = Schema {
    name: "PaginationV2",
    members: &[may("totalResult", Text), may("appliedLimit", Text)],
};

const V2_PAT: Schema = Schema {
    name: "PersonalAccessTokenV2",
    members: &[
        must("creationDate", Time),
        must("changeDate", Time),
        must("id", Text),
        must("userId", Text),
        must("organizationId", Text),
        must("expirationDate", Time),
    ],
};

pub(super) const V2_ADDED: Schema = Schema {
    name: "PersonalAccessTokenAddedV2",
    members: &[
        must("creationDate", Time),
        must("tokenId", Text),
        must("token", Text),
    ],
};

pub(super) const V2_REMOVED: Schema = Schema {
    name: "PersonalAccessTokenRemovedV2",
    members: &[may("deletionDate", Time)],
};

pub(super) const STATUS: Schema = Schema {
    name: "Status",
    members: &[
        must("code", Int),
        must("message", Text),
        may("details", List(&Object(&ERROR_DETAIL))),
    ],
};

const ERROR_DETAIL: Schema = Schema {
    name: "ErrorDetail",
    members: &[must("@type", Text), must("id", Text), must("message", Text)],
};

//! The forms of requests and answers.

use crate::openapi::Kind;
use crate::openapi::Kind::Any;
use crate::openapi::Kind::Bool;
use crate::openapi::Kind::Int;
use crate::openapi::Kind::List;
use crate::openapi::Kind::Object;
use crate::openapi::Kind::Text;
use crate::openapi::Kind::Time;
use crate::openapi::Schema;
use crate::openapi::may;
use crate::openapi::must;
use crate::openapi::nullable;

const TEXTS: Kind = List(&Text);

pub(super) const NEW_ACCOUNT: Schema = Schema {
    name: "NewServiceAccount",
    members: &[
        must("username", Text),
        must("name", Text),
        must("accessTokenType", Text),
        may("description", Text),
        nullable("expirationDate", Time),
        nullable("validity", Text),
        may("patName", Text),
        may("patDescription", Text),
        nullable("scopes", TEXTS),
        nullable("allowedCidrs", TEXTS),
    ],
};

pub(super) const ACCOUNT: Schema = Schema {
    name: "ServiceAccount",
    members: &[
        must("machineUserId", Text),
        may("username", Text),
        may("name", Text),
        may("description", Text),
        may("accessTokenType", Text),
        may("roles", TEXTS),
        may("tenantId", Text),
        may("state", Text),
        may("createdAt", Time),
        may("updatedAt", Time),
        may("patCount", Int),
        may("revokedPats", Int),
        may("credentialId", Text),
        may("expirationDate", Time),
        may("scopes", TEXTS),
        may("allowedCidrs", TEXTS),
        nullable("pat", Text),
        may("code", Text),
    ],
};

pub(super) const RENAMED: Schema = Schema {
    name: "ServiceAccountNames",
    members: &[
        may("name", Text),
        may("description", Text),
        may("username", Text),
    ],
};

pub(super) const ROLES: Schema = Schema {
    name: "Roles",
    members: &[must("roles", TEXTS)],
};

pub(super) const NEW_PAT: Schema = Schema {
    name: "NewToken",
    members: &[
        nullable("expirationDate", Time),
        nullable("validity", Text),
        may("name", Text),
        may("description", Text),
        nullable("scopes", TEXTS),
        nullable("allowedCidrs", TEXTS),
    ],
};

pub(super) const PAT: Schema = Schema {
    name: "Token",
    members: &[
        must("credentialId", Text),
        must("machineUserId", Text),
        must("expirationDate", Time),
        must("name", Text),
        must("description", Text),
        may("createdAt", Time),
        may("creationDate", Time),
        must("scopes", TEXTS),
        must("allowedCidrs", TEXTS),
        nullable("pat", Text),
        may("code", Text),
        nullable("createdBy", Text),
        may("state", Text),
        nullable("lastUsedAt", Time),
        nullable("lastUsedIp", Text),
        may("lastUses", List(&Object(&USE))),
        may("tokenHint", Text),
        nullable("revokedAt", Time),
        may("replaces", Text),
        may("replacedExpirationDate", Time),
    ],
};

const USE: Schema = Schema {
    name: "Use",
    members: &[
        must("at", Time),
        must("ip", Text),
        must("protocol", Text),
        nullable("client", Text),
    ],
};

pub(super) const ROTATION: Schema = Schema {
    name: "Rotation",
    members: &[
        may("overlapSeconds", Int),
        nullable("expirationDate", Time),
        nullable("validity", Text),
        may("name", Text),
        nullable("scopes", TEXTS),
        nullable("allowedCidrs", TEXTS),
    ],
};

pub(super) const WHICH: Schema = Schema {
    name: "WhichTokens",
    members: &[
        nullable("createdBefore", Time),
        nullable("unusedSince", Time),
    ],
};

pub(super) const SWEEP: Schema = Schema {
    name: "Sweep",
    members: &[
        nullable("createdBefore", Time),
        nullable("unusedSince", Time),
        nullable("expiresBefore", Time),
    ],
};

pub(super) const SWEPT: Schema = Schema {
    name: "Swept",
    members: &[
        must("tenantId", Text),
        must("dryRun", Bool),
        must("matchedPats", Int),
        must("revokedPats", Int),
        must("skippedPats", Int),
    ],
};

pub(super) const SEARCH: Schema = Schema {
    name: "Search",
    members: &[nullable("data", Object(&SEARCH_DATA))],
};

const SEARCH_DATA: Schema = Schema {
    name: "SearchData",
    members: &[may("type", Text), may("attributes", Any)],
};

pub(super) const FOUND: Schema = Schema {
    name: "Found",
    members: &[
        must("data", List(&Object(&RESOURCE))),
        must("links", Object(&LINKS)),
        must("meta", Object(&META)),
        must("jsonapi", Any),
    ],
};

const RESOURCE: Schema = Schema {
    name: "Resource",
    members: &[
        must("type", Text),
        must("id", Text),
        must("attributes", Any),
        must("links", Any),
    ],
};

const LINKS: Schema = Schema {
    name: "Links",
    members: &[
        must("self", Text),
        must("first", Text),
        nullable("prev", Text),
        nullable("next", Text),
        must("last", Text),
    ],
};

const META: Schema = Schema {
    name: "Meta",
    members: &[must("count", Int), must("page", Any)],
};

pub(super) const ACCOUNT_POLICY: Schema = Schema {
    name: "ServiceAccountPolicy",
    members: &[
        must("machineUserId", Text),
        must("allowedCidrs", TEXTS),
        nullable("tokensNotBefore", Time),
    ],
};

pub(super) const NEW_ACCOUNT_POLICY: Schema = Schema {
    name: "NewServiceAccountPolicy",
    members: &[
        nullable("allowedCidrs", TEXTS),
        nullable("tokensNotBefore", Time),
    ],
};

pub(super) const TENANT_POLICY: Schema = Schema {
    name: "TenantPolicy",
    members: &[
        must("tenantId", Text),
        nullable("maxPatLifetimeSeconds", Int),
        nullable("tokensNotBefore", Time),
        nullable("maxPats", Int),
        nullable("maxPatsPerAccount", Int),
    ],
};

pub(super) const NEW_TENANT_POLICY: Schema = Schema {
    name: "NewTenantPolicy",
    members: &[
        nullable("maxPatLifetimeSeconds", Int),
        nullable("tokensNotBefore", Time),
        nullable("maxPats", Int),
        nullable("maxPatsPerAccount", Int),
    ],
};

pub(super) const EVENTS: Schema = Schema {
    name: "Events",
    members: &[must("data", List(&Any)), must("links", Any)],
};

pub(super) const PRINCIPAL: Schema = Schema {
    name: "Principal",
    members: &[
        must("accountId", Text),
        must("username", Text),
        must("kind", Text),
        must("tenantId", Text),
        must("roles", TEXTS),
        must("scopes", TEXTS),
        nullable("credentialId", Text),
        must("expiresAt", Time),
        may("tokenType", Text),
        nullable("tokenKind", Text),
    ],
};

pub(super) const LOGIN: Schema = Schema {
    name: "Login",
    members: &[
        must("username", Text),
        must("password", Text),
        may("tenant", Text),
    ],
};

pub(super) const CHANGED_PASSWORD: Schema = Schema {
    name: "ChangedPassword",
    members: &[
        must("username", Text),
        must("password", Text),
        must("newPassword", Text),
        may("tenant", Text),
    ],
};

pub(super) const LOCKED_OUT: Schema = Schema {
    name: "LockedOut",
    members: &[must(
        "data",
        List(&Object(&Schema {
            name: "LockOut",
            members: &[
                must("accountId", Text),
                must("username", Text),
                must("network", Text),
                must("lockedUntil", Time),
            ],
        })),
    )],
};

pub(super) const SHOWN: Schema = Schema {
    name: "ShownToken",
    members: &[must("token", Text), may("token_type_hint", Text)],
};

pub(super) const KEYS: Schema = Schema {
    name: "KeySet",
    members: &[must("keys", List(&Object(&KEY)))],
};

const KEY: Schema = Schema {
    name: "Key",
    members: &[
        must("kty", Text),
        must("crv", Text),
        must("x", Text),
        must("y", Text),
        must("kid", Text),
        must("use", Text),
        must("alg", Text),
    ],
};

pub(super) const HOLDER: Schema = Schema {
    name: "CertificateHolder",
    members: &[
        must("subject", Text),
        must("serial", Text),
        must("issuer", Text),
        must("notBefore", Time),
        must("notAfter", Time),
        must("remainingSeconds", Int),
        must("x5t#S256", Text),
        must("accountId", Text),
        must("username", Text),
        must("tenant", Text),
        must("roles", TEXTS),
    ],
};

pub(super) const FAILURE: Schema = Schema {
    name: "Failure",
    members: &[
        must("errors", List(&Object(&PROBLEM))),
        must("jsonapi", Any),
    ],
};

const PROBLEM: Schema = Schema {
    name: "Problem",
    members: &[
        must("id", Text),
        must("status", Text),
        must("code", Text),
        must("title", Text),
        must("detail", Text),
        may("source", Any),
        may("meta", Any),
    ],
};

//! What the OAuth endpoints offer: the routers and the OpenAPI descriptions are made from this.

use crate::openapi::Access;
use crate::openapi::Body;
use crate::openapi::Document;
use crate::openapi::Kind::Any;
use crate::openapi::Kind::Bool;
use crate::openapi::Kind::Int;
use crate::openapi::Kind::List;
use crate::openapi::Kind::Text;
use crate::openapi::Method;
use crate::openapi::Operation;
use crate::openapi::Schema;
use crate::openapi::may;
use crate::openapi::must;
use crate::openapi::nullable;

/// What holds for all of them.
pub(super) const DOCUMENT: Document = Document {
    failures: &[400, 401, 403, 405, 429, 500, 503],
    failure: &REFUSED,
    failure_media: &["application/json"],
    media: &["application/json"],
};

/// RFC 6749.
pub(super) const TOKEN: Operation = Operation {
    method: Method::Post,
    path: "/oauth/v2/token",
    id: "token",
    summary: "A short-lived bearer token for a client secret, or a password where that is allowed (RFC 6749).",
    access: Access::Client,
    query: &[],
    body: Body::Form(&TOKEN_REQUEST),
    success: 200,
    answer: Some(&ACCESS_TOKEN),
    failures: &[],
};

/// RFC 7662.
pub(super) const INTROSPECT: Operation = Operation {
    path: "/oauth2/introspect",
    id: "introspect",
    summary: "What a token is worth (RFC 7662).",
    body: Body::Form(&SHOWN),
    answer: Some(&INTROSPECTION),
    ..TOKEN
};

/// The same where Zitadel has it.
pub(super) const IAM_INTROSPECT: Operation = Operation {
    path: "/oauth/v2/introspect",
    ..INTROSPECT
};

const REFUSED: Schema = Schema {
    name: "OAuthError",
    members: &[must("error", Text), must("error_description", Text)],
};

const TOKEN_REQUEST: Schema = Schema {
    name: "TokenRequest",
    members: &[
        must("grant_type", Text),
        may("client_id", Text),
        may("client_secret", Text),
        may("username", Text),
        may("password", Text),
        may("scope", Text),
    ],
};

const ACCESS_TOKEN: Schema = Schema {
    name: "AccessToken",
    members: &[
        must("access_token", Text),
        must("token_type", Text),
        must("expires_in", Int),
        may("scope", Text),
    ],
};

const SHOWN: Schema = Schema {
    name: "IntrospectedToken",
    members: &[
        must("token", Text),
        may("token_type_hint", Text),
        may("client_id", Text),
        may("client_secret", Text),
    ],
};

const INTROSPECTION: Schema = Schema {
    name: "Introspection",
    members: &[
        must("active", Bool),
        may("token_type", Text),
        may("scope", Text),
        may("client_id", Text),
        may("username", Text),
        may("sub", Text),
        nullable("jti", Text),
        may("exp", Int),
        may("aud", Text),
        may("tenant_id", Text),
        may("roles", List(&Text)),
        may(super::claims::SCOPES, List(&Text)),
        may(super::claims::NETWORKS, List(&Text)),
        may(super::claims::ACCOUNT_NETWORKS, List(&Text)),
        may(super::claims::TENANT, Text),
        may(super::claims::ROLES, Any),
    ],
};

//! Tollgate: a gNMI streaming gateway with Personal Access Tokens.
//!
//! The rooms stand on floors. A room imports only rooms of lower floors; `tests/it/shape.rs`
//! fails on an import that runs sideways or up.
//!
//! ```text
//! 7 cli        one file per command
//! 6 app        composition root: build, wire, run, drain
//! 5 config     file, flags and environment become each room's checked Config
//! 4 transport  listen, accept, TLS, Peer, connection limits
//! 4 accounts   the vendor's account API, login
//! 4 gnmi       the gNMI service
//! 4 zitadel    /auth/v1, /management/v1, /v2: the Zitadel-compatible IAM API
//! 4 oauth      /oauth/v2/token, /oauth2/introspect
//! 4 restconf   RFC 8040: resources, edits, queries
//! 4 load       load generator for any gNMI server
//! 4 health     /healthz, /readyz, /metrics
//! 4 syslog     tells a syslog server of audit events
//! 4 webhook    tells a web server of tokens that end, and of audit events
//! 4 store      SQLite or PostgreSQL behind the ports of iam, audit and datastore
//! 3 datastore  configuration of tenants: entries, edits, references, revisions
//! 3 telemetry  tree of latest values, matcher, queues, fan-out
//! 3 iam        credential, principal, permit; tokens, throttle, live sessions
//! 3 pki        issuer and own identity
//! 3 measure    TWAMP-light and STAMP sender and reflector, statistics
//! 2 schema     YANG modules: look-up, parsing, validation; the one place that touches libyang
//! 2 wire       generated protobuf, conversion to and from model, JSON
//! 2 audit      events, trail, port
//! 1 model      the field's words as plain data
//! 1 openapi    what the HTTP faces offer, and its description
//! 0 clock, form, secret, redact, meter, wakeup
//! ```

pub mod accounts;
pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod datastore;
pub mod enroll;
pub mod form;
pub mod gnmi;
pub mod health;
pub mod iam;
pub mod load;
pub mod measure;
pub mod meter;
pub mod model;
pub mod oauth;
pub mod openapi;
pub mod pki;
pub mod redact;
pub mod restconf;
pub mod schema;
pub mod secret;
pub mod store;
pub mod syslog;
pub mod telemetry;
pub mod transport;
pub mod wakeup;
pub mod webhook;
pub mod wire;
pub mod zitadel;

//! Listening, TLS and the life of a connection.

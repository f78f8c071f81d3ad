//! Certificates: the own identity and its issuer.

//! Who may do what: credential, principal, permit.

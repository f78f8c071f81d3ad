//! The gNMI service.

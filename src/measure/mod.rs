//! TWAMP-light and STAMP measurement.

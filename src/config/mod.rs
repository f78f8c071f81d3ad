//! File, flags and environment become checked settings.

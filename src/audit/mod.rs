//! What happened to credentials and rights, for those who must prove it.

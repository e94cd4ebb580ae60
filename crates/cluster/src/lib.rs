//! Several nodes over one log.

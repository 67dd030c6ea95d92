//! Conversations and flows in PostgreSQL.

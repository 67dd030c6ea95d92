//! Conversations and flows in one file of SQLite.

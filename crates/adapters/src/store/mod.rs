//! Where the journal lives.

pub mod sqlite;

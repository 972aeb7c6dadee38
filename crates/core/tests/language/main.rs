//! The workflow language from the outside: documents in, plans, problems and values out.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a helper that meets an unexpected value should stop its test right there")]

mod bombs;
mod decide;
mod documentation;
mod expressions;
mod journal;
mod lints;
mod llm;
mod problems;
mod properties;
mod reference;
mod schema;
mod templates;

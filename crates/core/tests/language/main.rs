//! The workflow language from the outside: documents in, plans, problems and values out.

mod bombs;
mod expressions;
mod llm;
mod problems;
mod properties;
mod reference;
mod schema;
mod templates;

//! The workflow language from the outside: documents in, plans, problems and values out.

mod bombs;
mod expressions;
mod problems;
mod reference;
mod templates;

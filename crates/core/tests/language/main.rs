//! The workflow language from the outside: documents in, plans, problems and values out.

mod problems;
mod reference;

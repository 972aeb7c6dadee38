//! The pure heart of FlowTrace.
//!
//! A workflow document is checked and compiled into a [`plan::Plan`]; a run is a log of [`event::Event`]s; [`state`] folds
//! the log, and [`decide`] says what to do next. **Nothing in this crate does I/O, reads a clock, draws a random number or is
//! async**: the same log gives the same decisions on every machine and in every version.

pub mod answer;
pub mod call;
pub mod change;
pub mod check;
pub mod decide;
pub mod document;
pub mod equivalence;
pub mod event;
pub mod expression;
pub mod failure;
pub mod fork;
pub mod id;
pub mod model_name;
pub mod node;
pub mod payload;
pub mod plan;
pub mod policy;
pub mod price;
pub mod problem;
pub mod reference;
pub mod schema;
pub mod scope;
pub mod secret;
pub mod span;
pub mod stack;
pub mod state;
pub mod template;
pub mod tool;
pub mod trace;
pub mod usage;
pub mod value;

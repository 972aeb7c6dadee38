//! What is wrong with a document: where, what, and what was probably meant.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable word for programs, for instance `unknown_node`.
    pub code: String,
    /// JSON Pointer (RFC 6901) to the offending value; empty for the document itself.
    pub pointer: String,
    /// A plain sentence.
    pub message: String,
    /// What was probably meant, where there is a good guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    pub fn new(code: &str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { code: code.to_owned(), pointer: pointer.into(), message: message.into(), suggestion: None }
    }

    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

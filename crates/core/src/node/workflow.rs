//! `workflow`: another workflow runs as one step.

use crate::template::Template;

#[derive(Debug)]
pub struct Workflow {
    /// An id or a name.
    pub workflow: String,
    /// Absent: the newest when the run starts.
    pub version: Option<u32>,
    /// Absent: the inputs.
    pub input: Option<Template>,
}

//! `approval`: a person decides.

use crate::document::ApprovalTimeout;
use crate::template::Template;

pub const APPROVED: &str = "approved";
pub const REJECTED: &str = "rejected";

#[derive(Debug)]
pub struct Approval {
    pub message: Template,
    /// Absent: the inputs.
    pub payload: Option<Template>,
    pub timeout_ms: Option<u64>,
    pub on_timeout: ApprovalTimeout,
}

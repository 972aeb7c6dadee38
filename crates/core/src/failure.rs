//! What went wrong, as data: a stable code for programs and a sentence for people.

use serde::{Deserialize, Serialize};

/// Why a call, a step or a run failed. The text form (snake case) is stable: it is stored, served and documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// HTTP 429 or the provider's own "overloaded".
    RateLimited,
    /// HTTP 5xx.
    ServerError,
    /// No answer, or no first byte, within the time allowed.
    Timeout,
    /// Refused, reset, DNS or TLS failure.
    Connection,
    /// An answer that is not what the protocol promises: bad JSON, an empty body, a missing field.
    Malformed,
    /// A stream that ended before its end marker.
    StreamCut,
    /// The answer is larger than the limit.
    TooLarge,
    /// HTTP 400, 404, 422 and other answers that the same request would get again.
    BadRequest,
    /// HTTP 401 or 403.
    Unauthorized,
    /// The provider refused to answer or cut the answer by its content filter.
    ContentFiltered,
    /// The outbound guard does not allow the address.
    AddressRefused,
    /// A provider or tool that this server has not configured.
    NotConfigured,
    /// A template could not be rendered.
    Template,
    /// An expression could not be evaluated.
    Expression,
    /// A tool refused its input or could not do its work.
    Tool,
    /// A limit of the run or of the deployment.
    BudgetExceeded,
    /// What a gate looked at does not hold up.
    Gate,
    /// A person said no.
    Rejected,
    /// Nobody decided, or no signal came, in the time that was allowed.
    Expired,
    /// A call that must not be made twice was interrupted, and a person did not want it made again.
    Interrupted,
    /// The workflow could not be planned by this build.
    InvalidWorkflow,
    /// A fault of FlowTrace itself.
    Internal,
}

impl FailureCode {
    /// Whether trying again may help (B2), and so whether another provider may answer instead (B3).
    pub fn is_transient(self) -> bool {
        use FailureCode::*;
        matches!(self, RateLimited | ServerError | Timeout | Connection | Malformed | StreamCut)
    }

    pub fn as_str(self) -> &'static str {
        use FailureCode::*;
        match self {
            RateLimited => "rate_limited",
            ServerError => "server_error",
            Timeout => "timeout",
            Connection => "connection",
            Malformed => "malformed",
            StreamCut => "stream_cut",
            TooLarge => "too_large",
            BadRequest => "bad_request",
            Unauthorized => "unauthorized",
            ContentFiltered => "content_filtered",
            AddressRefused => "address_refused",
            NotConfigured => "not_configured",
            Template => "template",
            Expression => "expression",
            Tool => "tool",
            BudgetExceeded => "budget_exceeded",
            Gate => "gate",
            Rejected => "rejected",
            Expired => "expired",
            Interrupted => "interrupted",
            InvalidWorkflow => "invalid_workflow",
            Internal => "internal",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub code: FailureCode,
    /// A sentence that says what happened, where, and what to do.
    pub message: String,
    /// The upstream's HTTP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the upstream asked for in `Retry-After`, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The upstream's request id, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<String>,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), status: None, retry_after_ms: None, upstream_request_id: None }
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub fn with_retry_after_ms(mut self, millis: Option<u64>) -> Self {
        self.retry_after_ms = millis;
        self
    }

    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.upstream_request_id = id;
        self
    }
}

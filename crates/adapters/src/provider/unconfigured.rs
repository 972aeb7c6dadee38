//! A provider that workflows may name and that nobody has set up.

use flowtrace_core::call::{ModelAnswer, ModelCall};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};

/// Fails every call with a sentence that names the missing setting.
pub struct Unconfigured {
    name: String,
    setting: String,
}

impl Unconfigured {
    /// `setting` is what is missing: `OPENAI_API_KEY`.
    pub fn new(name: &str, setting: &str) -> Self {
        Unconfigured { name: name.to_owned(), setting: setting.to_owned() }
    }
}

impl Provider for Unconfigured {
    fn name(&self) -> &str {
        &self.name
    }

    fn configured(&self) -> bool {
        false
    }

    fn simulated(&self) -> bool {
        false
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        _context: &'a CallContext,
        _on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        let message = format!(
            "Provider {} is not configured, so model {} cannot be called: set {}, or start with --simulate to run without a provider.",
            self.name, call.target.model, self.setting
        );
        Box::pin(async move { Err(Failure::new(FailureCode::NotConfigured, message)) })
    }
}

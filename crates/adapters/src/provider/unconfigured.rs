//! A provider that workflows may name and that has no key, or none yet.

use super::secret::KeySource;
use flowtrace_core::call::{ModelAnswer, ModelCall};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use std::sync::Arc;

/// Calls only with a key; without one it fails with a sentence that names the missing setting.
pub struct NeedsKey {
    pub inner: Arc<dyn Provider>,
    pub key: KeySource,
    /// What is missing: `OPENAI_API_KEY`.
    pub setting: String,
}

impl Provider for NeedsKey {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn configured(&self) -> bool {
        self.key.now().is_some()
    }

    fn simulated(&self) -> bool {
        self.inner.simulated()
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        context: &'a CallContext,
        on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        if self.configured() {
            return self.inner.call(call, context, on_delta);
        }
        let message = format!(
            "Provider {} is not configured, so model {} cannot be called: set {} (in the environment of the server, or as a secret \
             in the settings), or start with --simulate to run without a provider.",
            self.name(),
            call.target.model,
            self.setting
        );
        Box::pin(async move { Err(Failure::new(FailureCode::NotConfigured, message)) })
    }
}

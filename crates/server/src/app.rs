//! What every request shares, and how a document becomes a plan.

use crate::api::problem::ProblemItem;
use crate::boundary::Boundary;
use crate::config::ProviderKey;
use crate::folds::Folds;
use crate::otlp::Ingest;
use crate::upkeep::Retention;
use flowtrace_adapters::provider::simulated::Simulator;
use flowtrace_adapters::store::sqlite::Times;
use flowtrace_adapters::vault::Vault;
use flowtrace_core::check::{Catalog, check, lint};
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::problem::Problem;
use flowtrace_engine::host::Host;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::credentials::Credentials;
use flowtrace_engine::port::provider::Provider;
use flowtrace_engine::port::span_store::SpanStore;
use flowtrace_engine::port::store::{ProviderBinding, Store, StoreError};
use flowtrace_engine::port::tool::Tools;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;

pub type Shared = Arc<App>;

pub struct App {
    pub boundary: Boundary,
    pub host: Host,
    pub store: Arc<dyn Store>,
    pub journal_times: Times,
    pub spans: Arc<dyn SpanStore>,
    /// What takes in the spans of others.
    pub ingest: Arc<Ingest>,
    pub clock: Arc<dyn Clock>,
    pub tools: Tools,
    pub providers: Vec<Arc<dyn Provider>>,
    pub prices: PriceTable,
    /// Provider and model of the operator's own prices.
    pub priced: Vec<(String, String)>,
    /// A new one for every process: tells a restarted server from the one before.
    pub instance: String,
    /// The provider bindings as they are in the store; only this process changes them.
    pub bindings: RwLock<Arc<Vec<ProviderBinding>>>,
    pub credentials: Arc<dyn Credentials>,
    /// The secrets that people set.
    pub vault: Arc<Vault>,
    /// Names of secrets that the operator's configuration uses, and what for; workflows cannot.
    pub owned_secrets: Arc<BTreeMap<String, Vec<String>>>,
    pub provider_keys: Vec<ProviderKey>,
    /// Held over a change of the access keys and the reading of what came of it.
    pub changing_keys: tokio::sync::Mutex<()>,
    pub retention: Retention,
    /// Held while a binding is checked and written, so that two requests at once do not make two of what may exist once.
    pub changing_bindings: tokio::sync::Mutex<()>,
    /// Only with `--simulate`.
    pub simulator: Option<Simulator>,
    pub plans: Plans,
    /// Runs as they were when somebody last asked.
    pub folds: Folds,
    /// Fires when the server stops: whoever waits for a run stops waiting.
    pub shutdown: CancellationToken,
}

impl App {
    pub fn bindings(&self) -> Arc<Vec<ProviderBinding>> {
        self.bindings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After a change in the store.
    pub async fn read_bindings(&self) -> Result<(), StoreError> {
        let bindings = Arc::new(self.store.bindings().await?);
        *self.bindings.write().unwrap_or_else(PoisonError::into_inner) = bindings;
        Ok(())
    }

    /// After a change in the store.
    pub async fn read_keys(&self) -> Result<(), StoreError> {
        self.boundary.keys.replace(self.credentials.access_keys().await?);
        Ok(())
    }

    /// The plan of a document, from memory if it was asked for lately. `hash` is the hash of `graph_json`.
    pub async fn plan(&self, hash: &str, graph_json: &Arc<str>) -> Result<Arc<Plan>, Vec<Problem>> {
        if let Some(plan) = self.plans.get(hash) {
            return Ok(plan);
        }
        let plan = self.check(graph_json.clone()).await?;
        self.plans.put(hash, graph_json.len(), plan.clone());
        Ok(plan)
    }

    /// What this deployment offers to workflows. Servers of tools come, change and go, so it is put together each time.
    pub fn catalog(&self) -> Catalog {
        crate::deployment::catalog(&self.tools, self.providers.iter().map(|provider| provider.name()))
    }

    /// Every problem of a document.
    pub async fn problems(&self, graph_json: &str) -> Vec<ProblemItem> {
        match self.check(graph_json.into()).await {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(ProblemItem::from).collect(),
        }
    }

    /// What is allowed in a document and probably not meant.
    pub async fn warnings(&self, graph_json: &str) -> Vec<ProblemItem> {
        let (catalog, text) = (self.catalog(), graph_json.to_owned());
        let warnings = tokio::task::spawn_blocking(move || lint::lint(text.as_bytes(), &catalog)).await;
        // Warnings are a help, and a document is none the worse without them.
        warnings.unwrap_or_default().into_iter().map(ProblemItem::from).collect()
    }

    /// A large document takes a while, so it is checked where it keeps no other request waiting.
    async fn check(&self, graph_json: Arc<str>) -> Result<Arc<Plan>, Vec<Problem>> {
        let catalog = self.catalog();
        let checked = tokio::task::spawn_blocking(move || check(graph_json.as_bytes(), &catalog)).await;
        checked.unwrap_or_else(|_| {
            let message = "the document could not be checked: this is a fault of FlowTrace, and its log says more";
            Err(vec![Problem::new("internal", "", message)])
        })
    }
}

/// Plans of documents that were used lately.
#[derive(Default)]
pub struct Plans {
    inner: Mutex<PlansInner>,
}

#[derive(Default)]
struct PlansInner {
    by_hash: HashMap<String, Arc<Plan>>,
    /// Length of the documents they were made of.
    bytes: usize,
}

impl Plans {
    /// Bytes of documents whose plans are kept. A plan takes a few times as much.
    const KEPT_BYTES: usize = 4 << 20;

    fn get(&self, hash: &str) -> Option<Arc<Plan>> {
        self.lock().by_hash.get(hash).cloned()
    }

    /// When there is no more room, all are forgotten: what is in use comes back at once.
    fn put(&self, hash: &str, bytes: usize, plan: Arc<Plan>) {
        let mut inner = self.lock();
        if inner.bytes + bytes > Self::KEPT_BYTES {
            *inner = PlansInner::default();
        }
        if bytes <= Self::KEPT_BYTES && inner.by_hash.insert(hash.to_owned(), plan).is_none() {
            inner.bytes += bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, PlansInner> {
        // The map is whole whatever another thread did.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

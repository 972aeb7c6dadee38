//! One server: opening what it needs, in order, and closing it again. `flowtrace serve` runs one; the other commands start
//! the same one inside themselves when none holds the data directory.

use crate::api::{self, problem};
use crate::app::{App, Plans, Shared};
use crate::boundary::{self, Boundary, Token};
use crate::config::Config;
use crate::folds::Folds;
use crate::upkeep::Retention;
use crate::{deployment, export, log, otlp, projector, seed, upkeep, web};
use axum::Router;
use axum::serve::ListenerExt;
use flowtrace_adapters::spans::SqliteSpans;
use flowtrace_adapters::store::sqlite::{DataDir, SqliteStore, end_process};
use flowtrace_adapters::tool::mcp::McpServer;
use flowtrace_adapters::vault::{KeyFile, Vault};
use flowtrace_engine::host::{Host, Ports, Settings};
use flowtrace_engine::port::clock::SystemClock;
use flowtrace_engine::port::credentials::Credentials;
use flowtrace_engine::port::span_store::SpanStore;
use flowtrace_engine::port::store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// How long calls in flight may take to come back when the server stops. What does not is done again by the next process.
const GRACE: Duration = Duration::from_secs(2);

/// How long open connections may take to end after that.
const DRAIN: Duration = Duration::from_secs(3);

/// What a server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Until it is told to stop; picks up unfinished runs.
    Serve,
    /// For one run of the command line; leaves other unfinished runs alone.
    Run,
    /// For a look at what is stored.
    Read,
    /// For a change of what is stored beside the runs.
    Change,
}

impl Mode {
    /// Whether other commands are told about the server, and may have to wait for it. The others are gone in a moment.
    fn is_announced(self) -> bool {
        matches!(self, Mode::Serve | Mode::Run)
    }
}

/// `<data>/server.json`: how others find the server that holds the data directory.
#[derive(Debug, Serialize, Deserialize)]
pub struct Announcement {
    pub url: String,
    pub pid: u32,
    pub mode: Mode,
    /// As in `/version`: tells this server from another one at the same address.
    pub instance: String,
}

impl Announcement {
    pub fn path(data: &Path) -> PathBuf {
        data.join("server.json")
    }

    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(data)).ok()?).ok()
    }

    /// Whole or not at all: readers look at it at any moment.
    fn write(&self, data: &Path) -> std::io::Result<()> {
        let temporary = data.join("server.json.new");
        std::fs::write(&temporary, serde_json::to_vec(self)?)?;
        std::fs::rename(&temporary, Self::path(data))
    }
}

pub struct Server {
    /// Where this machine reaches it.
    pub url: String,
    pub app: Shared,
    /// Unfinished runs at start.
    pub unfinished: usize,
    /// Where a generated token was put.
    pub token_file: Option<PathBuf>,
    mode: Mode,
    serving: JoinHandle<()>,
    mcp: Vec<Arc<McpServer>>,
    /// Each ends when the server stops.
    upkeep: JoinSet<()>,
    /// The lock on the data directory; released last.
    data: DataDir,
}

/// Why a server could not start. Each is a sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// Another process holds the data directory.
    #[error("{0}")]
    Locked(String),
    #[error("{0}")]
    Other(String),
}

impl Server {
    pub async fn start(config: Config, mode: Mode) -> Result<Server, StartFailure> {
        let other = StartFailure::Other;
        // The port comes first: nothing is touched when it is taken.
        let listener = listen(&config.listen).await.map_err(other)?;
        let address = listener
            .local_addr()
            .map_err(|error| StartFailure::Other(format!("the address that the server listens on cannot be read: {error}")))?;

        let data = DataDir::lock(&config.data).map_err(|error| match error {
            StoreError::Unavailable(_) => StartFailure::Locked(cannot_open(&config.data, error)),
            error => StartFailure::Other(cannot_open(&config.data, error)),
        })?;
        // It can only be what a crash left behind.
        let _ = std::fs::remove_file(Announcement::path(data.path()));
        let sqlite = Arc::new(SqliteStore::open(data.path()).map_err(|error| other(cannot_open(&config.data, error)))?);
        let journal_times = sqlite.times().clone();
        let (store, credentials): (Arc<dyn Store>, Arc<dyn Credentials>) = (sqlite.clone(), sqlite);
        let store_error = |error: StoreError| other(problem::sentence(&error.to_string()));

        let (token, token_file) = token(&config, address.ip(), data.path()).map_err(other)?;
        let vault = open_vault(&config, data.path(), token.as_ref(), credentials.clone()).await.map_err(store_error)?;
        let deployment = deployment::build(&config, &vault).await.map_err(other)?;
        let clock = Arc::new(SystemClock);
        let spans: Arc<dyn SpanStore> = Arc::new(
            SqliteSpans::open(data.path(), clock.clone(), end_process())
                .map_err(|error| other(cannot_open(&config.data, error)))?,
        );
        let host = Host::new(
            Ports {
                store: store.clone(),
                providers: deployment.providers.clone(),
                tools: deployment.tools.clone(),
                clock: clock.clone(),
            },
            Settings {
                prices: deployment.prices.clone(),
                equivalence: deployment.equivalence,
                ceilings: config.ceilings,
                max_active_runs: config.max_active_runs,
                simulated: config.simulate,
                variables: Arc::new(config.variables.clone()),
            },
        );
        if mode == Mode::Serve && config.demo {
            seed::demos(&*store, &*clock).await.map_err(store_error)?;
        }
        let unfinished = match mode {
            Mode::Serve => host.recover().await.map_err(store_error)?,
            Mode::Run | Mode::Read | Mode::Change => store.unfinished().await.map_err(store_error)?.len(),
        };

        let ingest = otlp::Ingest::open(spans.clone(), deployment.prices.clone(), data.path())
            .map_err(|error| other(format!("the directory for spans that wait cannot be used: {error}")))?;
        let ingest = Arc::new(ingest);
        let bindings = Arc::new(store.bindings().await.map_err(store_error)?);
        let boundary = Boundary::new(address.ip(), &config.hosts, token);
        boundary.keys.replace(credentials.access_keys().await.map_err(store_error)?);
        let retention = Retention::read(&*store, config.retention_days).await.map_err(store_error)?;
        let app = Arc::new(App {
            credentials,
            vault,
            owned_secrets: Arc::new(config.owned_secrets()),
            provider_keys: config.provider_keys(),
            changing_keys: tokio::sync::Mutex::default(),
            retention,
            bindings: RwLock::new(bindings),
            changing_bindings: tokio::sync::Mutex::default(),
            boundary,
            host,
            store,
            journal_times,
            spans,
            ingest,
            clock,
            tools: deployment.tools,
            providers: deployment.providers,
            prices: deployment.prices,
            priced: config.prices.iter().map(|(provider, model, _)| (provider.clone(), model.clone())).collect(),
            instance: uuid::Uuid::new_v4().to_string(),
            simulator: deployment.simulator,
            plans: Plans::default(),
            folds: Folds::default(),
            shutdown: CancellationToken::new(),
        });
        let url = format!("http://{}", reachable(address));
        if mode.is_announced() {
            let announcement = Announcement { url: url.clone(), pid: std::process::id(), mode, instance: app.instance.clone() };
            announcement
                .write(data.path())
                .map_err(|error| StartFailure::Other(format!("{} cannot be written: {error}", data.path().display())))?;
        }
        let mut upkeep = JoinSet::new();
        if mode == Mode::Serve {
            upkeep.spawn(otlp::drain(app.ingest.clone(), app.shutdown.clone()));
            upkeep.spawn(projector::run(app.clone(), data.path().to_owned()));
            upkeep.spawn(upkeep::late_prices(app.clone()));
            upkeep.spawn(upkeep::retention(app.clone()));
            if let Some(export) = config.export {
                upkeep.spawn(export::run(app.clone(), export, data.path().to_owned()));
            }
        }
        let serving = tokio::spawn(serve(listener, app.clone()));
        if mode == Mode::Serve {
            // In the background: nobody who starts FlowTrace waits for them.
            deployment.mcp.iter().for_each(|server| server.reach());
        }
        Ok(Server { url, app, unfinished, token_file, mode, serving, mcp: deployment.mcp, upkeep, data })
    }

    /// Stops accepting, lets answers and commits finish, and leaves what takes longer to the next process.
    pub async fn stop(self) {
        let Server { app, mut serving, mode, mcp, upkeep, data, .. } = self;
        if mode.is_announced() {
            let _ = std::fs::remove_file(Announcement::path(data.path()));
        }
        app.shutdown.cancel();
        app.host.shutdown(GRACE).await;
        mcp.iter().for_each(|server| server.stop());
        if tokio::time::timeout(DRAIN, &mut serving).await.is_err() {
            serving.abort();
            let _ = serving.await;
        }
        upkeep.join_all().await;
        // The store's threads end with its last owner, and only then may another process have the directory.
        drop(app);
        drop(data);
    }
}

/// The secrets that people set, and all that this process knows of others: none of them may come back.
async fn open_vault(
    config: &Config,
    data: &Path,
    token: Option<&Token>,
    credentials: Arc<dyn Credentials>,
) -> Result<Arc<Vault>, StoreError> {
    let key_file = KeyFile { path: config.secret_key_file.clone(), data: data.to_owned() };
    let mut others = config.secrets_of_the_environment();
    others.extend(token.map(|token| ("the token of this server".to_owned(), token.secret().to_owned())));
    let vault = Vault::open(credentials, key_file, others, log::KNOWN.clone()).await?;
    if let Some(problem) = vault.problem() {
        tracing::warn!("{problem}");
    }
    Ok(vault)
}

async fn serve(listener: TcpListener, app: Shared) {
    let shutdown = app.shutdown.clone();
    // Answers are small and somebody waits for them.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let served = axum::serve(listener, router(app)).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the server stopped accepting connections");
    }
}

fn router(app: Shared) -> Router {
    let (routes, _) = api::routes().split_for_parts();
    routes
        .merge(otlp::routes())
        .route_layer(axum::middleware::from_fn_with_state(app.clone(), boundary::authenticate))
        .fallback(web::fallback)
        .method_not_allowed_fallback(web::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), boundary::guard))
        .layer(CatchPanicLayer::custom(problem::from_panic))
        .layer(axum::middleware::from_fn(boundary::harden))
        .with_state(app)
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    use std::io::ErrorKind;
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{address} is in use by another program: stop it, or choose another address with --listen (port 0 takes a free one)"
        ),
        ErrorKind::PermissionDenied => format!("listening on {address} is not permitted: choose a port above 1023 with --listen"),
        ErrorKind::AddrNotAvailable => format!("{address} is not an address of this machine: choose another one with --listen"),
        ErrorKind::InvalidInput => format!("`{address}` is not an address to listen on: write it like 127.0.0.1:7878"),
        _ => format!("listening on {address} failed: {error}"),
    })
}

/// How this machine reaches a server that may listen on all addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if !ip.is_unspecified() => address,
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(_) => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port()),
    }
}

fn cannot_open(data: &Path, error: StoreError) -> String {
    let text = error.to_string();
    // Most messages name the directory already.
    if text.contains(&*data.to_string_lossy()) {
        text
    } else {
        format!("the data directory {} cannot be used: {text}", data.display())
    }
}

/// The token that requests have to carry. On loopback only if the operator wants one; elsewhere always, so one is made if
/// there is none.
fn token(config: &Config, listen: IpAddr, data: &Path) -> Result<(Option<Token>, Option<PathBuf>), String> {
    if let Some(token) = &config.token {
        return Token::new(token.secret()).map(|token| (Some(token), None));
    }
    if listen.is_loopback() {
        return Ok((None, None));
    }
    let path = data.join("token");
    let secret = match std::fs::read_to_string(&path) {
        Ok(secret) => secret,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            write_private(&path, &secret)
                .map_err(|error| format!("the token file {} cannot be written: {error}", path.display()))?;
            secret
        }
        Err(error) => return Err(format!("the token file {} cannot be read: {error}", path.display())),
    };
    let token = Token::new(&secret).map_err(|error| format!("the token file {} cannot be used: {error}", path.display()))?;
    Ok((Some(token), Some(path)))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

//! The outbound guard: calls whose address comes from a workflow or from the API reach the public internet only, unless the
//! operator allows more. Without it, whoever can write a workflow, or is fetched by one, could make this server talk to
//! services that trust its network position: a database on localhost, a router, a cloud's metadata address.
//!
//! How a call is judged:
//! 1. The URL: `http` or `https`, no user name or password in it. An address written as the host is judged here, after the
//!    `url` crate has brought every odd form (`0x7f.1`, `2130706433`, `[::ffff:127.0.0.1]`) to its normal form.
//! 2. The name: it is resolved by [`GuardedResolver`] inside the client, which passes on public addresses only. The client
//!    connects to just these, so a name that answers differently a moment later (DNS rebinding) gains nothing.
//! 3. Redirects: the clients follow none. Whoever follows one asks [`Guard::client`] again for the new URL.
//!
//! Proxy variables are ignored: a proxy would resolve names itself, behind the guard's back.
//!
//! What the operator allows is exact: `host:port` means that host, spelled as in the URL, and that port. For such URLs there
//! is a second client without the address check, so that an allowed name never opens other ports of the same machine.

mod range;
#[cfg(test)]
mod tests;

use flowtrace_core::failure::{Failure, FailureCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use url::{Host, Url};

/// The longest wait for a connection, TLS included. A call's own timeout may be shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("flowtrace/", env!("CARGO_PKG_VERSION"));

/// What the operator allows beyond the public internet. The default allows nothing.
#[derive(Clone, Debug, Default)]
pub struct GuardPolicy {
    /// Every address (`--allow-private-network`).
    pub allow_private: bool,
    /// Single services.
    pub allowed: Vec<HostPort>,
}

/// A host and a port that the operator allows, such as `localhost:11434`, `10.0.0.7:80` or `[::1]:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    host: Host<String>,
    port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a host and a port; write it like `localhost:11434` or `[::1]:8080`");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = Host::parse(host).map_err(|_| wrong())?;
        Ok(HostPort { host: without_final_dot(host), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// `example.com.` and `example.com` are one name.
fn without_final_dot(host: Host<String>) -> Host<String> {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').map(str::to_owned).unwrap_or(name)),
        address => address,
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    policy: Arc<GuardPolicy>,
    /// Connects to public addresses only.
    strict: LazyClient,
    /// Connects anywhere; for URLs that the policy allows.
    open: LazyClient,
}

/// Made at its first call: it reads all certificates of the machine, and many servers never call a URL.
type LazyClient = Arc<LazyLock<Result<reqwest::Client, Failure>, Box<dyn FnOnce() -> Result<reqwest::Client, Failure> + Send>>>;

impl Guard {
    pub fn new(policy: GuardPolicy) -> Self {
        Guard::with_resolver(policy, Arc::new(SystemResolver))
    }

    /// With another way to resolve names.
    pub fn with_resolver(policy: GuardPolicy, resolver: Arc<dyn Resolve>) -> Self {
        let strict = lazy_client(Arc::new(GuardedResolver { inner: resolver.clone() }));
        Guard { policy: Arc::new(policy), strict, open: lazy_client(resolver) }
    }

    /// The client to call exactly this URL with: it follows no redirect, retries nothing, uses no proxy, decompresses gzip
    /// and names FlowTrace as the user agent. Deadlines are the caller's, except for 10 seconds to connect.
    ///
    /// A refused URL is [`FailureCode::AddressRefused`]; one that no client could call is [`FailureCode::BadRequest`]. A name
    /// that turns out to lead to a private address is refused while connecting; see [`transport_failure`].
    pub fn client(&self, url: &Url) -> Result<&reqwest::Client, Failure> {
        let refuse = |why: &str| Err(Failure::new(FailureCode::BadRequest, format!("The URL {} {why}.", display(url))));
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("is neither http nor https; other schemes are not called");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("carries a user name or password; send them in an Authorization header instead");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refuse("names no host");
        };
        if self.policy.allow_private || self.policy.allowed.contains(&HostPort { host: without_final_dot(host.to_owned()), port })
        {
            return made(&self.open);
        }
        let address = match host {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) => return made(&self.strict),
        };
        match Refused::unless_public(&host.to_string(), [address]) {
            Ok(_) => made(&self.strict),
            Err(refused) => Err(refused.failure(Some(port))),
        }
    }
}

fn lazy_client(resolver: Arc<dyn Resolve>) -> LazyClient {
    Arc::new(LazyLock::new(Box::new(move || build_client(resolver))))
}

/// Fails only where the TLS library cannot start.
fn made(client: &LazyClient) -> Result<&reqwest::Client, Failure> {
    LazyLock::force(client).as_ref().map_err(Failure::clone)
}

fn build_client(resolver: Arc<dyn Resolve>) -> Result<reqwest::Client, Failure> {
    let builder = || {
        reqwest::Client::builder()
            .dns_resolver(resolver.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(USER_AGENT)
    };
    // A machine without CA certificates (a container from scratch) can still call plain http.
    builder().build().or_else(|error| {
        tracing::warn!("No https calls will work: {}", root_cause(&error));
        builder().tls_certs_only([]).build().map_err(|error| {
            Failure::new(FailureCode::Internal, format!("The HTTP client could not start: {}", root_cause(&error)))
        })
    })
}

/// The resolver of the operating system. It runs on tokio's threads for blocking work.
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Passes on the public addresses of a name, and fails with [`Refused`] where there is none.
struct GuardedResolver {
    inner: Arc<dyn Resolve>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let lookup = self.inner.resolve(name);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = lookup.await?.collect();
            let public = Refused::unless_public(&host, addresses.iter().map(SocketAddr::ip))?;
            let checked: Vec<SocketAddr> = addresses.into_iter().filter(|address| public.contains(&address.ip())).collect();
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}

/// A host that leads to no public address.
#[derive(Debug)]
struct Refused {
    host: String,
    /// One of its addresses; `None` where it has none at all.
    found: Option<(IpAddr, range::Range)>,
}

impl Refused {
    /// The public ones among the addresses of a host.
    fn unless_public(host: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Result<Vec<IpAddr>, Refused> {
        let mut found = None;
        let mut public = Vec::new();
        for address in addresses {
            match range::special(address) {
                None => public.push(address),
                Some(range) => found = found.or(Some((address, range))),
            }
        }
        if public.is_empty() { Err(Refused { host: host.to_owned(), found }) } else { Ok(public) }
    }

    fn failure(&self, port: Option<u16>) -> Failure {
        let code = if self.found.is_some() { FailureCode::AddressRefused } else { FailureCode::Connection };
        let service = match port {
            Some(port) => format!("{}:{port}", self.host),
            None => format!("{}:PORT", self.host),
        };
        let help = match self.found {
            Some(_) => format!(
                " Where the people who write workflows may reach this server's network, its operator can start it with \
                 --allow-private-network, or add {service} to `allow` under [outbound] in its configuration file."
            ),
            None => String::new(),
        };
        Failure::new(code, format!("{self}.{help}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { host, found } = self;
        match found {
            Some((address, range)) => {
                write!(f, "The host {host} was not called: {address} is {} ({}), not a public one", range.what, range.source)
            }
            None => write!(f, "The name {host} has no address"),
        }
    }
}

impl Error for Refused {}

/// What an error of a client from [`Guard::client`] means, in a sentence about `what` (such as `GET https://example.com/a`).
pub fn transport_failure(what: &str, url: &Url, error: &reqwest::Error) -> Failure {
    if let Some(refused) = sources(error).find_map(|source| source.downcast_ref::<Refused>()) {
        return refused.failure(url.port_or_known_default());
    }
    let cause = root_cause(error);
    let cut = sources(error)
        .any(|source| source.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof));
    let (code, sentence) = if error.is_timeout() {
        (FailureCode::Timeout, format!("{what}: the server did not answer in time ({cause})."))
    } else if error.is_connect() {
        (FailureCode::Connection, format!("{what}: no connection could be made ({cause})."))
    } else if error.is_builder() {
        (FailureCode::BadRequest, format!("{what}: the request could not be built ({cause})."))
    } else if error.is_request() {
        (FailureCode::Connection, format!("{what}: the connection broke before an answer came ({cause})."))
    } else if error.is_decode() && !cut && !cause.contains("end of file") {
        (FailureCode::Malformed, format!("{what}: the answer could not be decoded ({cause})."))
    } else {
        (FailureCode::StreamCut, format!("{what}: the connection broke in the middle of the answer ({cause})."))
    };
    Failure::new(code, sentence)
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The innermost message, which is the one that says something. It never contains the URL.
fn root_cause(error: &reqwest::Error) -> String {
    sources(error).skip(1).last().map(ToString::to_string).unwrap_or_else(|| "no further reason is known".to_owned())
}

/// The URL without what may be secret or long: user, password, query and fragment.
pub fn display(url: &Url) -> String {
    let mut short = url.clone();
    // Both fail only for URLs that cannot have a user at all.
    let _ = short.set_username("");
    let _ = short.set_password(None);
    short.set_query(None);
    short.set_fragment(None);
    short.to_string()
}

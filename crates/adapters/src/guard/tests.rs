use super::*;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn guard(allow_private: bool, allowed: &[&str]) -> Guard {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    Guard::new(GuardPolicy { allow_private, allowed })
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Expect {
    /// Goes out: the address is public, or the name is judged when it is resolved.
    Passes,
    /// `AddressRefused`.
    Refused,
    /// `BadRequest`.
    Wrong,
    /// Not even a URL.
    Unparsable,
}

#[test]
fn urls_are_judged_by_the_address_that_they_mean() {
    use Expect::*;
    let table = [
        // Public.
        ("http://example.com/", Passes),
        ("https://example.com:8443/a?b#c", Passes),
        ("http://93.184.215.14/", Passes),
        ("http://1.1.1.1:8080/", Passes),
        ("http://100.63.255.255/", Passes),
        ("http://100.128.0.1/", Passes),
        ("http://172.15.255.255/", Passes),
        ("http://172.32.0.0/", Passes),
        ("http://169.253.255.255/", Passes),
        ("http://192.0.1.1/", Passes),
        ("http://198.20.0.0/", Passes),
        ("http://223.255.255.255/", Passes),
        ("http://[2606:4700:4700::1111]/", Passes),
        ("http://[2001:200::1]/", Passes),
        ("http://[::ffff:1.1.1.1]/", Passes),
        ("http://[64:ff9b::1.1.1.1]/", Passes),
        ("http://[2002:0101:0101::1]/", Passes),
        // IPv4 ranges, first and last addresses.
        ("http://0.0.0.0/", Refused),
        ("http://0.255.255.255/", Refused),
        ("http://10.0.0.0/", Refused),
        ("http://10.255.255.255/", Refused),
        ("http://100.64.0.0/", Refused),
        ("http://100.100.100.200/latest/meta-data/", Refused),
        ("http://100.127.255.255/", Refused),
        ("http://127.0.0.1/", Refused),
        ("http://127.255.255.254:8080/", Refused),
        ("http://168.63.129.16/", Refused),
        ("http://169.254.0.0/", Refused),
        ("http://169.254.169.254/latest/meta-data/", Refused),
        ("http://172.16.0.0/", Refused),
        ("http://172.31.255.255/", Refused),
        ("http://192.0.0.192/", Refused),
        ("http://192.0.2.1/", Refused),
        ("http://192.88.99.1/", Refused),
        ("http://192.168.0.0/", Refused),
        ("http://192.168.255.255/", Refused),
        ("http://198.18.0.0/", Refused),
        ("http://198.19.255.255/", Refused),
        ("http://198.51.100.1/", Refused),
        ("http://203.0.113.255/", Refused),
        ("http://224.0.0.1/", Refused),
        ("http://239.255.255.250:1900/", Refused),
        ("http://240.0.0.1/", Refused),
        ("http://255.255.255.255/", Refused),
        // Odd spellings of IPv4, as the URL standard reads them.
        ("http://2130706433/", Refused),
        ("http://0x7f000001/", Refused),
        ("http://0177.0.0.1/", Refused),
        ("http://0x7f.1/", Refused),
        ("http://127.1/", Refused),
        ("http://127.0.1/", Refused),
        ("http://0/", Refused),
        ("http://127.0.0.1./", Refused),
        ("http://%31%32%37.0.0.1/", Refused),
        ("http://１２７.０.０.１/", Refused),
        ("http://127。0。0。1/", Refused),
        ("http:\\\\127.0.0.1\\", Refused),
        ("http:127.0.0.1", Refused),
        (" http://127.0.0.1/", Refused),
        ("ht\ntp://127.0.0.1/", Refused),
        ("http://256.0.0.1/", Unparsable),
        ("http://127.0.0.1.1/", Unparsable),
        ("http://4294967296/", Unparsable),
        // IPv6.
        ("http://[::]/", Refused),
        ("http://[::1]/", Refused),
        ("http://[0:0:0:0:0:0:0:1]:80/", Refused),
        ("http://[::127.0.0.1]/", Refused),
        ("http://[::1.1.1.1]/", Refused),
        ("http://[::ffff:127.0.0.1]/", Refused),
        ("http://[::ffff:7f00:1]/", Refused),
        ("http://[::ffff:10.1.2.3]/", Refused),
        ("http://[::ffff:169.254.169.254]/", Refused),
        ("http://[::ffff:0:127.0.0.1]/", Refused),
        ("http://[64:ff9b::127.0.0.1]/", Refused),
        ("http://[64:ff9b::192.168.1.1]/", Refused),
        ("http://[64:ff9b:1::1.1.1.1]/", Refused),
        ("http://[2002:7f00:1::]/", Refused),
        ("http://[2002:c0a8:101::1]/", Refused),
        ("http://[2001::1]/", Refused),
        ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", Refused),
        ("http://[2001:2::1]/", Refused),
        ("http://[2001:db8::1]/", Refused),
        ("http://[3fff::1]/", Refused),
        ("http://[100::1]/", Refused),
        ("http://[5f00::1]/", Refused),
        ("http://[4000::1]/", Refused),
        ("http://[fc00::1]/", Refused),
        ("http://[fd00:ec2::254]/", Refused),
        ("http://[fe80::1]/", Refused),
        ("http://[febf::1]/", Refused),
        ("http://[fec0::1]/", Refused),
        ("http://[ff02::1]/", Refused),
        ("http://[fe80::1%25eth0]/", Unparsable),
        // Schemes, user names, hosts.
        ("ftp://example.com/", Wrong),
        ("file:///etc/passwd", Wrong),
        ("gopher://127.0.0.1:70/", Wrong),
        ("data:text/plain,hi", Wrong),
        ("unix:/run/docker.sock", Wrong),
        ("http://user@example.com/", Wrong),
        ("http://:password@example.com/", Wrong),
        ("http://example.com@127.0.0.1/", Wrong),
        ("http://127.0.0.1#@example.com/", Refused),
        ("http://127.0.0.1\\@example.com/", Refused),
        ("http:///", Unparsable),
        ("http://", Unparsable),
        ("example.com", Unparsable),
        ("//example.com", Unparsable),
        ("", Unparsable),
    ];
    let guard = guard(false, &[]);
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let got = match Url::parse(text) {
            Err(_) => Unparsable,
            Ok(url) => match guard.client(&url) {
                Ok(client) => {
                    assert!(std::ptr::eq(client, made(&guard.strict).unwrap()), "{text}");
                    Passes
                }
                Err(failure) if failure.code == FailureCode::AddressRefused => {
                    assert!(failure.message.contains("--allow-private-network"), "{text}: {failure}");
                    Refused
                }
                Err(failure) if failure.code == FailureCode::BadRequest => Wrong,
                Err(failure) => panic!("{text}: {failure}"),
            },
        };
        if got != expected {
            wrong.push(format!("{text:?}: expected {expected:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sentence_names_the_host_the_address_and_the_way_out() {
    let failure = guard(false, &[]).client(&Url::parse("http://[::ffff:10.1.2.3]:81/x?key=hidden").unwrap()).unwrap_err();
    assert_eq!(
        failure.message,
        "The host [::ffff:a01:203] was not called: ::ffff:10.1.2.3 is a private address (RFC 1918), not a public one. Where the \
         people who write workflows may reach this server's network, its operator can start it with --allow-private-network, or \
         add [::ffff:a01:203]:81 to `allow` under [outbound] in its configuration file."
    );
}

#[test]
fn what_the_operator_allows_is_exact() {
    let some = guard(false, &["localhost:11434", "10.0.0.7:80", "[::1]:8080", "Intern.Example.:443"]);
    let table = [
        ("http://localhost:11434/v1", Some(true)),
        ("http://LOCALHOST.:11434/v1", Some(true)),
        ("http://localhost/v1", Some(false)),
        ("http://10.0.0.7/", Some(true)),
        ("http://0xa.7/", Some(true)),
        ("https://10.0.0.7/", None),
        ("http://10.0.0.8/", None),
        ("http://[0:0::1]:8080/", Some(true)),
        ("http://[::1]/", None),
        ("https://intern.example/", Some(true)),
        ("https://a.intern.example/", Some(false)),
    ];
    for (text, open) in table {
        let url = Url::parse(text).unwrap();
        let got = some.client(&url).ok().map(|client| std::ptr::eq(client, made(&some.open).unwrap()));
        assert_eq!(got, open, "{text}");
    }
    let all = guard(true, &[]);
    assert!(all.client(&Url::parse("http://169.254.169.254/").unwrap()).is_ok());
    assert!(all.client(&Url::parse("ftp://localhost/").unwrap()).is_err());
    assert!(all.client(&Url::parse("http://a:b@localhost/").unwrap()).is_err());
    for text in ["localhost", "localhost:", "localhost:99999", ":80", "http://localhost:80", "a b:1", "::1:80", ""] {
        assert!(text.parse::<HostPort>().is_err(), "{text:?}");
    }
    assert_eq!("[0::1]:80".parse::<HostPort>().unwrap().to_string(), "[::1]:80");
}

/// Answers each lookup of a name with the next list of its script, and the last one from then on.
struct Scripted {
    answers: Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>,
    lookups: AtomicUsize,
}

impl Scripted {
    fn new(name: &str, script: &[&[&str]]) -> Arc<Self> {
        let script =
            script.iter().map(|answer| answer.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect());
        Arc::new(Scripted {
            answers: Mutex::new(HashMap::from([(name.to_owned(), script.collect())])),
            lookups: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Scripted {
    fn resolve(&self, name: Name) -> Resolving {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.get_mut(name.as_str()) {
            Some(script) if script.len() > 1 => script.remove(0),
            Some(script) => script[0].clone(),
            None => Vec::new(),
        };
        Box::pin(async move { Ok(Box::new(answer.into_iter()) as Addrs) })
    }
}

async fn resolved(resolver: &GuardedResolver, name: &str) -> Result<Vec<String>, String> {
    match resolver.resolve(name.parse().unwrap()).await {
        Ok(addresses) => Ok(addresses.map(|address| address.ip().to_string()).collect()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn only_public_addresses_of_a_name_are_passed_on() {
    let script: &[&[&str]] =
        &[&["1.1.1.1"], &["127.0.0.1", "1.1.1.1", "fe80::1", "::ffff:10.0.0.1"], &["127.0.0.1", "10.0.0.1"], &[]];
    let resolver = GuardedResolver { inner: Scripted::new("name.test", script) };
    assert_eq!(resolved(&resolver, "name.test").await.unwrap(), ["1.1.1.1"]);
    assert_eq!(resolved(&resolver, "name.test").await.unwrap(), ["1.1.1.1"]);
    let refusal = resolved(&resolver, "name.test").await.unwrap_err();
    assert!(refusal.contains("name.test") && refusal.contains("127.0.0.1 is a loopback address (RFC 1122)"), "{refusal}");
    assert_eq!(resolved(&resolver, "name.test").await.unwrap_err(), "The name name.test has no address");
}

/// The name was public when somebody looked; at the moment of the call it is not. No connection may arrive.
#[tokio::test]
async fn a_rebound_name_is_refused_before_any_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let resolver = Scripted::new("rebound.test", &[&["1.1.1.1"], &["127.0.0.1"]]);
    let guard = Guard::with_resolver(GuardPolicy::default(), resolver.clone());
    // The first answer, as an earlier check would have seen it.
    assert!(GuardedResolver { inner: resolver.clone() }.resolve("rebound.test".parse().unwrap()).await.is_ok());

    let url = Url::parse(&format!("http://rebound.test:{port}/")).unwrap();
    let error = guard.client(&url).unwrap().get(url.clone()).timeout(Duration::from_secs(5)).send().await.unwrap_err();
    let failure = transport_failure("GET", &url, &error);
    assert_eq!(failure.code, FailureCode::AddressRefused, "{failure}");
    assert!(failure.message.contains(&format!("rebound.test:{port}")), "{failure}");
    assert_eq!(resolver.lookups.load(Ordering::SeqCst), 2);
    let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "a connection arrived");
}

#[tokio::test]
async fn an_allowed_name_opens_its_port_and_no_other() {
    let one = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (one_port, other_port) = (one.local_addr().unwrap().port(), other.local_addr().unwrap().port());
    let policy = GuardPolicy { allow_private: false, allowed: vec![format!("intern.test:{one_port}").parse().unwrap()] };
    let guard = Guard::with_resolver(policy, Scripted::new("intern.test", &[&["127.0.0.1"]]));

    let url = Url::parse(&format!("http://intern.test:{one_port}/")).unwrap();
    let call = guard.client(&url).unwrap().get(url).timeout(Duration::from_millis(300)).send();
    let (accepted, _) = tokio::join!(one.accept(), call);
    assert!(accepted.is_ok());

    let url = Url::parse(&format!("http://intern.test:{other_port}/")).unwrap();
    let error = guard.client(&url).unwrap().get(url.clone()).timeout(Duration::from_secs(5)).send().await.unwrap_err();
    assert_eq!(transport_failure("GET", &url, &error).code, FailureCode::AddressRefused);
}

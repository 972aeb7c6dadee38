//! The house rules that a compiler does not check: which crate may depend on which, and what the pure core may never reach.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every allowed edge between crates of this workspace. Anything else fails, in either direction.
const ALLOWED: &[(&str, &[&str])] = &[
    ("flowtrace-core", &[]),
    ("flowtrace-engine", &["flowtrace-core"]),
    ("flowtrace-adapters", &["flowtrace-core", "flowtrace-engine"]),
    ("flowtrace", &["flowtrace-core", "flowtrace-engine", "flowtrace-adapters"]),
    ("flowtrace-bench-engine", &["flowtrace-core", "flowtrace-engine", "flowtrace-adapters"]),
    ("flowtrace-bench-ingest", &["flowtrace-core", "flowtrace-engine", "flowtrace-adapters"]),
];

/// Crates that do I/O, keep time or run tasks; the core must not reach them, not even through others.
const NEVER_UNDER_CORE: &[&str] = &["tokio", "reqwest", "rusqlite", "hyper", "axum", "mio", "async-std", "smol", "ureq"];

/// Sources of effects inside the standard library, by the text that uses them.
const NEVER_IN_CORE_SOURCE: &[&str] =
    &["std::fs", "std::net", "std::process", "SystemTime", "Instant::now", "async fn", "println!"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .output()
        .expect("cargo runs the tests, so it can be run");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let packages: Vec<&Value> =
        metadata["packages"].as_array().into_iter().flatten().filter(|package| members.contains(text(package, "id"))).collect();
    let names: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let listed: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "a new crate needs its place in the direction of dependencies");
    for package in packages {
        let name = text(package, "name");
        let allowed = ALLOWED.iter().find(|(listed, _)| *listed == name).map_or(&[][..], |(_, allowed)| *allowed);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = text(dependency, "name");
            // A crate may lean on itself in its own tests, with a feature turned on.
            assert!(!names.contains(on) || on == name || allowed.contains(&on), "{name} must not depend on {on}");
        }
    }
}

#[test]
fn the_core_reaches_nothing_that_does_io() {
    let metadata = metadata();
    let nodes: BTreeMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array().into_iter().flatten().map(|node| (text(node, "id"), node)).collect();
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let core = name_of.iter().find(|(_, name)| **name == "flowtrace-core").map(|(id, _)| *id).expect("the core is a package");
    let mut reached = BTreeSet::new();
    let mut open = vec![core];
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        let normal = |dependency: &&Value| {
            dependency["dep_kinds"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|kind| kind["kind"].is_null() || text(kind, "kind") == "build")
        };
        let dependencies = nodes.get(id).into_iter().flat_map(|node| node["deps"].as_array().into_iter().flatten());
        open.extend(dependencies.filter(normal).filter_map(|dependency| dependency["pkg"].as_str()));
    }
    let names: BTreeSet<&str> = reached.iter().filter_map(|id| name_of.get(id).copied()).collect();
    for never in NEVER_UNDER_CORE {
        assert!(!names.contains(never), "flowtrace-core reaches {never}");
    }
}

#[test]
fn the_core_uses_no_clock_and_no_files() {
    let mut open = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a readable folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        files += 1;
        let source = std::fs::read_to_string(&path).expect("source is UTF-8");
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        for never in NEVER_IN_CORE_SOURCE {
            assert!(!product.contains(never), "{} uses {never}", path.display());
        }
    }
    assert!(files > 10, "the core's source was not found");
}

//! Puts the commit into the binary, for `flowtrace --version` and `/version`.

use std::path::Path;
use std::process::Command;

fn main() {
    // Both files change whenever HEAD does, by a commit or by a checkout. Only existing paths may be named: cargo runs a
    // build script again and again for a path that is not there.
    println!("cargo:rerun-if-changed=build.rs");
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file])
            && Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    // New files in the built UI have to be embedded too.
    if Path::new("../../web/dist").exists() {
        println!("cargo:rerun-if-changed=../../web/dist");
    }
    println!("cargo:rerun-if-changed=demos");
    let sha = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=FLOWTRACE_GIT_SHA={sha}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

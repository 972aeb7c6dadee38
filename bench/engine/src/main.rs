//! FlowTrace on the engine workloads: one process a measurement, in the form that the peers' programs have.
//!
//!     flowtrace-bench-engine --workload W1 --store inproc|http --workdir DIR [--phase run|crash|resume]
//!
//! prints one line, `BENCH` and a JSON object. `inproc` is the engine and its SQLite store in this process; `http` is the real
//! binary as a server, driven through its API. `bench/engine/README.md` says what the workloads are.

#![allow(clippy::print_stdout, reason = "the printed line is the result")]

mod control;
mod http;
mod inproc;
mod meter;
mod recovery;
mod upstream;
mod workload;

use clap::Parser;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Instant;

/// As in the `flowtrace` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "FlowTrace on the engine workloads W0 to W5, and on control flow")]
pub struct Args {
    #[arg(long)]
    workload: String,
    /// `inproc` or `http`.
    #[arg(long, default_value = "inproc")]
    store: String,
    #[arg(long)]
    workdir: PathBuf,
    /// `run`, or `crash` and then `resume` for W5.
    #[arg(long, default_value = "run")]
    phase: String,
    /// A shorter W3, or fewer runs to recover.
    #[arg(long)]
    runs: Option<usize>,
    /// The binary that `http` starts; beside this program if it is not given.
    #[arg(long)]
    flowtrace: Option<PathBuf>,
}

fn main() {
    let begin = Instant::now();
    let args = Args::parse();
    if let Err(error) = std::fs::create_dir_all(&args.workdir) {
        eprintln!("{} cannot be made: {error}", args.workdir.display());
        std::process::exit(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a tokio runtime");
    let result: Result<Value, String> = runtime.block_on(async {
        match args.store.as_str() {
            "inproc" => inproc::run(&args, begin).await,
            "http" => http::run(&args).await,
            other => Err(format!("there is no store `{other}`: use `inproc` or `http`")),
        }
    });
    match result {
        Ok(metrics) => println!("BENCH {metrics}"),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

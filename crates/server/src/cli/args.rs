//! The flags. Each is also a `FLOWTRACE_*` variable.

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "flowtrace", version = VERSION, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FLOWTRACE_GIT_SHA"), ")");

#[derive(Subcommand)]
pub enum Command {
    /// Start the server: the API, the web UI and the engine
    Serve(Serve),
    /// Run a workflow file and show its steps
    Run(Run),
    /// Report every problem of a workflow file
    Validate(Validate),
    /// List runs, newest first
    Runs(Runs),
    /// Show the events of a run
    Trace(Trace),
    /// Set, list and delete the secrets of tools and providers
    Secrets(Secrets),
    /// Make, list and revoke access keys
    Keys(Keys),
    /// Bring the data directory up to date
    Migrate(Migrate),
}

#[derive(Args, Clone, Debug, Default)]
pub struct CommonArgs {
    /// Directory that holds everything FlowTrace stores [default: ./flowtrace-data]
    #[arg(long, env = "FLOWTRACE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file [default: flowtrace.toml, if there is one]
    #[arg(long, env = "FLOWTRACE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// File with the key that seals stored secrets [default: flowtrace/secret.key where the user's configuration is]
    #[arg(long, env = "FLOWTRACE_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug, Default)]
pub struct EngineArgs {
    /// Answer with simulated models instead of real providers
    #[arg(long, env = "FLOWTRACE_SIMULATE", value_parser = FalseyValueParser::new())]
    pub simulate: bool,
    /// Let workflows call loopback and private addresses
    #[arg(long, env = "FLOWTRACE_ALLOW_PRIVATE_NETWORK", value_parser = FalseyValueParser::new())]
    pub allow_private_network: bool,
}

/// How a client proves who it is to a server that demands it.
#[derive(Args, Clone, Debug, Default)]
pub struct TokenArgs {
    /// Token of the server; better in FLOWTRACE_TOKEN, because other users can see command lines
    #[arg(long, env = "FLOWTRACE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// File that holds the token
    #[arg(long, env = "FLOWTRACE_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Address to listen on [default: 127.0.0.1:7878]; port 0 takes a free one
    #[arg(long, env = "FLOWTRACE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Another name under which browsers reach this server; may be repeated
    #[arg(long, env = "FLOWTRACE_HOST", value_name = "NAME", value_delimiter = ',')]
    pub host: Vec<String>,
    /// Do not add the demo workflows
    #[arg(long, env = "FLOWTRACE_NO_DEMO", value_parser = FalseyValueParser::new())]
    pub no_demo: bool,
    /// Token that every request has to carry; better in FLOWTRACE_TOKEN, because other users can see command lines
    #[arg(long, env = "FLOWTRACE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// File that holds the token
    #[arg(long, env = "FLOWTRACE_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub serve: ServeArgs,
}

#[derive(Args)]
pub struct Run {
    /// The workflow document; `-` reads it from standard input
    pub file: PathBuf,
    /// An input variable: `name=text`, or `name:=json`; may be repeated
    #[arg(long = "input", short = 'i', value_name = "NAME=TEXT")]
    pub inputs: Vec<String>,
    /// A file with all input variables as a JSON object
    #[arg(long, env = "FLOWTRACE_INPUT_JSON", value_name = "FILE")]
    pub input_json: Option<PathBuf>,
    /// Session that the run belongs to
    #[arg(long, env = "FLOWTRACE_SESSION", value_name = "ID")]
    pub session: Option<String>,
    /// Answer every question that the run asks people with this, for tries; without it, the run waits for somebody's decision
    #[arg(long, env = "FLOWTRACE_DECIDE", value_parser = ["approve", "reject"])]
    pub decide: Option<String>,
    /// Print every event as a line of JSON
    #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub token: TokenArgs,
}

#[derive(Args)]
pub struct Validate {
    /// The workflow document; `-` reads it from standard input
    pub file: PathBuf,
    /// Print the result as JSON
    #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    /// Configuration file [default: flowtrace.toml, if there is one]
    #[arg(long, env = "FLOWTRACE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Args)]
pub struct Runs {
    /// Only runs with this status
    #[arg(long, env = "FLOWTRACE_STATUS", value_parser = ["queued", "running", "succeeded", "failed", "canceled"])]
    pub status: Option<String>,
    /// Only runs of this workflow
    #[arg(long, env = "FLOWTRACE_WORKFLOW", value_name = "ID")]
    pub workflow: Option<String>,
    /// How many, 1 to 200
    #[arg(long, env = "FLOWTRACE_LIMIT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub limit: u16,
    /// Print every run as a line of JSON
    #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub token: TokenArgs,
}

#[derive(Args)]
pub struct Trace {
    /// The run's id
    pub run: String,
    /// Go on until the run has ended
    #[arg(long, short = 'f', env = "FLOWTRACE_FOLLOW", value_parser = FalseyValueParser::new())]
    pub follow: bool,
    /// Print every event as a line of JSON
    #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub token: TokenArgs,
}

#[derive(Args)]
pub struct Secrets {
    #[command(subcommand)]
    pub command: SecretsCommand,
}

#[derive(Subcommand)]
pub enum SecretsCommand {
    /// Set a secret to what standard input holds; one line break at its end is left out
    Set {
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the names of the secrets and when they were set
    List {
        /// Print every secret as a line of JSON, without its value
        #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Delete a secret
    Delete {
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where a command finds the server, or the data directory where none runs.
#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub token: TokenArgs,
}

#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make an access key and print it; it is never shown again
    Create {
        name: String,
        /// What the key may do: all, or only send spans and scores
        #[arg(long, env = "FLOWTRACE_SCOPE", value_parser = ["all", "ingest"], default_value = "all")]
        scope: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the access keys
    List {
        /// Print every key as a line of JSON, without the key itself
        #[arg(long, env = "FLOWTRACE_JSON", value_parser = FalseyValueParser::new())]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke an access key, by its name or its id
    Revoke {
        key: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub struct Migrate {
    #[command(flatten)]
    pub common: CommonArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// With the commands of commands.
    fn commands() -> Vec<clap::Command> {
        let all: Vec<_> = Cli::command().get_subcommands().cloned().collect();
        let inner: Vec<_> = all.iter().flat_map(|command| command.get_subcommands().cloned()).collect();
        all.into_iter().chain(inner).collect()
    }

    #[test]
    fn every_flag_is_also_a_variable() {
        for command in commands() {
            for argument in command.get_arguments() {
                let Some(long) = argument.get_long() else { continue };
                // `--input` may be repeated, which a variable cannot.
                if ["help", "version", "input"].contains(&long) {
                    continue;
                }
                let variable = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                assert!(variable.starts_with("FLOWTRACE_"), "{} --{long}", command.get_name());
            }
        }
    }

    #[test]
    fn every_flag_is_documented() {
        let docs = include_str!("../../../../docs/configuration.md");
        for command in commands() {
            for argument in command.get_arguments() {
                let Some(long) = argument.get_long().filter(|long| !["help", "version"].contains(long)) else { continue };
                let variable = argument.get_env().and_then(|name| name.to_str());
                assert!(docs.contains(&format!("`--{long}")), "docs/configuration.md lacks --{long}");
                if let Some(variable) = variable {
                    assert!(docs.contains(&format!("`{variable}`")), "docs/configuration.md lacks {variable}");
                }
            }
        }
    }
}

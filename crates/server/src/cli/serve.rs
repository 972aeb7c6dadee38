//! `flowtrace serve`

use super::args::{Serve, VERSION};
use super::{Outcome, out};
use crate::config::Config;
use crate::server::{Mode, Server};
use flowtrace_engine::port::provider::Provider;
use std::process::ExitCode;
use std::sync::Arc;

pub async fn run(arguments: Serve) -> Outcome {
    let config = Config::load(&arguments.common, &arguments.engine, Some(&arguments.serve))?;
    let data = config.data.clone();
    // Before the start, so that a signal in the middle of it is not lost.
    let stop = super::stop_signal()?;
    let server = Server::start(config, Mode::Serve).await.map_err(|error| error.to_string())?;

    out::line(format!("FlowTrace {VERSION} is ready at {}", server.url));
    out::line(format!("  data    {}", data.display()));
    out::line(format!("  models  {}", models(&server.app.providers, server.app.simulator.is_some())));
    if let Some(path) = &server.token_file {
        out::line(format!(
            "  token   in {} (every request needs it, because this address can be reached from elsewhere)",
            path.display()
        ));
    }
    if server.unfinished > 0 {
        out::line(format!("  runs    {} unfinished, going on", server.unfinished));
    }

    stop.await;
    out::note("stopping; what is under way goes on at the next start (press Ctrl-C again to stop at once)");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn models(providers: &[Arc<dyn Provider>], simulated: bool) -> String {
    if simulated {
        return "simulated: no real model is called".to_owned();
    }
    let configured: Vec<_> = providers.iter().filter(|provider| provider.configured()).map(|provider| provider.name()).collect();
    match configured.is_empty() {
        true => "none configured: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start with --simulate".to_owned(),
        false => configured.join(", "),
    }
}

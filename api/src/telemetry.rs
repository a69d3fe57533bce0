//! Log lines: their level, their form, and what never gets into them.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt, util::TryInitError,
};

use crate::config::{LogConfig, LogFormat};

/// Libraries that print headers, bodies or bound values at their finer levels, and the level at which each
/// stays silent about them. Configured directives about them are left out, so that none undoes a cap.
const CAPS: [&str; 11] = [
    "actix_http=info",
    "actix_server=info",
    "actix_web=info",
    "async_graphql=info",
    "h2=warn",
    "hyper=warn",
    "hyper_util=warn",
    "reqwest=warn",
    "rustls=warn",
    "sea_orm=warn",
    "sqlx=warn",
];

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The configured level cannot be read; the configuration checks it before.
    #[error("log.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process has begun to log.
    #[error("logging has begun already: {0}")]
    Begun(#[from] TryInitError),
}

/// Begins to log on standard error, in the configured form. Called once, by the program's `main`.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // colours are for people at a terminal
        .with_ansi(std::io::stderr().is_terminal());
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter(&config.level)?)).try_init()?;
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    let is_capped = |directive: &str| {
        CAPS.iter().filter_map(|cap| cap.split_once('=')).any(|(library, _)| {
            let rest = directive.trim().strip_prefix(library);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ':', '[']))
        })
    };
    let kept: Vec<_> = level.split(',').filter(|directive| !is_capped(directive)).collect();
    let configured = EnvFilter::builder().parse(kept.join(","))?;
    CAPS.iter().try_fold(configured, |filter, cap| Ok(filter.add_directive(cap.parse()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_makes_a_library_print_headers_or_bodies() {
        let filter = filter("trace,hyper=trace,sqlx::query=debug,cites=debug").unwrap().to_string();
        for cap in CAPS {
            assert!(filter.split(',').any(|directive| directive == cap), "{cap} in {filter}");
        }
        assert!(!filter.contains("hyper=trace") && !filter.contains("sqlx::query"), "{filter}");
        assert!(filter.contains("cites=debug"), "{filter}");
    }
}

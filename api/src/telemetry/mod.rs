//! Log lines: their level, their form, and what never gets into them; and the traces of requests (`traces`).

pub mod traces;

use std::fmt;
use std::io::IsTerminal;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_otlp::ExporterBuildError;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{self, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{
    EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt, util::TryInitError,
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
    /// The collector of traces cannot be used.
    #[error("traces cannot be sent: {0}")]
    Collector(#[from] ExporterBuildError),
    /// The client that sends to it cannot be made.
    #[error("traces cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
    /// Something else in this process has begun to trace.
    #[error("tracing has begun already")]
    Traced,
    /// Something else in this process has begun to log.
    #[error("logging has begun already: {0}")]
    Begun(#[from] TryInitError),
}

/// Begins to log on standard error, in the configured form. Called once, by the program's `main`.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let lines = lines(config.format, std::io::stderr, std::io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines.with_filter(filter(&config.level)?)).try_init()?;
    Ok(())
}

/// Lines in the configured form; colours are for people at a terminal.
fn lines<S, W>(form: LogFormat, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    match form {
        LogFormat::Text => {
            lines.event_format(OfRequest { form: format::Format::default(), json: false }).boxed()
        }
        LogFormat::Json => lines
            .fmt_fields(format::JsonFields::new())
            .event_format(OfRequest { form: format::json().flatten_event(true), json: true })
            .boxed(),
    }
}

tokio::task_local! {
    /// What is being served.
    static SERVING: Serving;
}

/// A request, or an operation of it, while it is served.
#[derive(Clone, Debug)]
pub struct Serving {
    id: String,
    /// Its span, if anything is traced.
    span: Option<Context>,
}

impl Serving {
    /// A request with its id and its span.
    pub const fn request(id: String, span: Option<Context>) -> Self {
        Self { id, span }
    }

    /// An operation of what is being served, or of a request that is over, such as that of a socket. None if nothing is
    /// traced: it is served as part of the request then.
    pub fn operation(id: &str) -> Option<Self> {
        if !traces::is_on() {
            return None;
        }
        let request = SERVING.try_with(Clone::clone);
        let Self { id, span } = request.unwrap_or_else(|_| Self::request(id.to_owned(), None));
        let span = traces::operation(&span.unwrap_or_default())?;
        Some(Self { id, span: Some(span) })
    }

    /// What is being served, for a task of its own. None if nothing is traced.
    pub fn current() -> Option<Self> {
        if traces::is_on() { SERVING.try_with(Clone::clone).ok() } else { None }
    }

    /// Serves: what is logged meanwhile carries the id, and statements are traced below the span. A span of the log's
    /// library would say the same, but is entered each time the request goes on, which costs a short one a tenth of its
    /// time.
    pub async fn scope<F: Future>(self, serve: F) -> F::Output {
        SERVING.scope(self, serve).await
    }
}

/// Something about the span of what is being served, if it is traced.
fn on_span<T>(about: impl FnOnce(&Context) -> T) -> Option<T> {
    if !traces::is_on() {
        return None;
    }
    SERVING.try_with(|serving| serving.span.as_ref().map(about)).ok().flatten()
}

/// What the operation being served is called.
pub fn describe(name: Option<&str>, ty: &'static str) {
    on_span(|span| traces::describe(span, name, ty));
}

/// The operation being served failed.
pub fn failed(code: &'static str) {
    on_span(|span| traces::failed(span, code));
}

/// Begins the span of a statement, if what is being served is traced.
pub fn statement(system: &'static str, sql: &str) -> Option<traces::Statement> {
    on_span(|span| traces::statement(span, system, sql)).flatten()
}

/// Lines in a form of the library's, with the id of the request that they belong to.
struct OfRequest<F> {
    form: F,
    json: bool,
}

impl<S, N, F> FormatEvent<S, N> for OfRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Ok(Serving { id, span }) = SERVING.try_with(Clone::clone) else {
            return self.form.format_event(context, writer, event);
        };
        let trace = span.map(|span| span.span().span_context().trace_id());
        if !self.json {
            match trace {
                Some(trace) => write!(writer, "[{id} {trace}] ")?,
                None => write!(writer, "[{id}] ")?,
            }
            return self.form.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        // the id is letters, digits and signs that JSON takes as they are
        write!(writer, "{{\"request_id\":\"{id}\",")?;
        if let Some(trace) = trace {
            write!(writer, "\"trace_id\":\"{trace}\",")?;
        }
        writer.write_str(line.strip_prefix('{').unwrap_or(&line))
    }
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
    use std::sync::{Arc, Mutex};

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

    /// What a warning looks like that is logged while a request is served.
    async fn logged(form: LogFormat) -> String {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(lines(
            form,
            {
                let kept = KeptIn(kept.clone());
                move || kept.clone()
            },
            false,
        ));
        let default = tracing::subscriber::set_default(subscriber);
        let serving = Serving::request("r-1".to_owned(), None);
        serving.scope(async { tracing::warn!(code = 7, "it went \"wrong\"") }).await;
        drop(default);
        let kept = kept.lock().unwrap().clone();
        String::from_utf8(kept).unwrap()
    }

    #[derive(Clone)]
    struct KeptIn(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for KeptIn {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_carries_the_id_of_its_request() {
        let line: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json).await).unwrap();
        assert_eq!(
            (&line["request_id"], &line["code"], &line["level"]),
            (&"r-1".into(), &7.into(), &"WARN".into())
        );
        assert_eq!(line["message"], "it went \"wrong\"");
        let line = logged(LogFormat::Text).await;
        assert!(line.starts_with("[r-1] ") && line.contains("it went \"wrong\" code=7"), "{line}");
    }
}

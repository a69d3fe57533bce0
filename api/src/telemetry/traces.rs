//! Traces, sent to a collector by OTLP: a span for a request, for its operation, for each of its statements.
//!
//! They exist only where a collector is configured. Their attributes are written here, by the names of OpenTelemetry's
//! semantic conventions: no path, address, value, token or text of an error is among them.

use std::sync::OnceLock;

use async_trait::async_trait;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span};
use tokio::runtime::Handle;

use super::TelemetryError;
use crate::config::TelemetryConfig;
use crate::limits;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The way of spans to the collector. What is still on the way is sent by [`Traces::end`].
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what was not sent yet.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // it waits for a request that this very thread may have to send
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// Begins to trace, if a collector is configured.
pub fn begin(config: &TelemetryConfig) -> Result<Traces, TelemetryError> {
    if config.otlp_endpoint.is_empty() {
        return Ok(Traces(None));
    }
    let collector = Collector {
        client: reqwest::Client::builder().timeout(limits::TRACE_TIMEOUT).build()?,
        runtime: Handle::current(),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", config.otlp_endpoint.trim_end_matches('/')))
        .with_timeout(limits::TRACE_TIMEOUT)
        .with_http_client(collector)
        .build()?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("cites").with_attribute(version).build();
    // whoever traces us decides for us; the others are chosen by chance
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build();
    TRACER.set(provider.tracer("cites")).map_err(|_| TelemetryError::Traced)?;
    Ok(Traces(Some(provider)))
}

/// Whether anything is traced.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// Sends spans by the client that the product has for everything else, with its one TLS.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    /// The library sends from a thread of its own, which no runtime drives.
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, request) = (self.client.clone(), reqwest::Request::try_from(request)?);
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let sent = sent.await.map_err(HttpError::from).and_then(|sent| sent.map_err(HttpError::from));
        match &sent {
            Ok((status, _)) if status.is_success() => {}
            _ => tracing::warn!("the collector of traces did not take spans"),
        }
        let (status, body) = sent?;
        Ok(Response::builder().status(status).body(body)?)
    }
}

/// The span of a request, in the trace of its caller if its headers name one (W3C Trace Context).
pub fn request(
    method: &'static str,
    route: Option<&'static str>,
    headers: &dyn Extractor,
) -> Option<Context> {
    let tracer = TRACER.get()?;
    let caller = TraceContextPropagator::new().extract_with_context(&Context::new(), headers);
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    let name = [Some(method), route].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let builder = tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
    Some(Context::new().with_span(tracer.build_with_context(builder, &caller)))
}

/// The request was answered.
pub fn answered(request: &Context, status: u16) {
    let span = request.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if status >= 500 {
        span.set_attribute(KeyValue::new("error.type", status.to_string()));
        span.set_status(Status::error(""));
    }
    span.end();
}

/// The span of an operation, below that of its request; one that came over a socket begins a trace.
pub(super) fn operation(parent: &Context) -> Option<Context> {
    let tracer = TRACER.get()?;
    let builder = tracer.span_builder("graphql").with_kind(SpanKind::Internal);
    Some(Context::new().with_span(tracer.build_with_context(builder, parent)))
}

/// What the span of an operation is about.
pub(super) fn describe(operation: &Context, name: Option<&str>, ty: &'static str) {
    let span = operation.span();
    span.update_name(ty);
    span.set_attribute(KeyValue::new("graphql.operation.type", ty));
    if let Some(name) = name {
        span.set_attribute(KeyValue::new("graphql.operation.name", name.to_owned()));
    }
}

/// What kept an operation from being done.
pub(super) fn failed(operation: &Context, code: &'static str) {
    let span = operation.span();
    span.set_attribute(KeyValue::new("error.type", code));
    span.set_status(Status::error(""));
}

/// A statement under way.
#[derive(Debug)]
pub struct Statement(Box<Span>);

/// The span of a statement. Its text has placeholders where values stand.
pub(super) fn statement(parent: &Context, system: &'static str, sql: &str) -> Option<Statement> {
    let tracer = TRACER.get()?;
    if !parent.span().span_context().is_sampled() {
        return None;
    }
    let verb =
        sql.trim_start().split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    let text = sql.get(..sql.floor_char_boundary(limits::TRACED_SQL_BYTES)).unwrap_or_default();
    let builder = tracer.span_builder(verb.to_owned()).with_kind(SpanKind::Client).with_attributes([
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", verb.to_owned()),
        KeyValue::new("db.query.text", text.to_owned()),
    ]);
    Some(Statement(Box::new(tracer.build_with_context(builder, parent))))
}

impl Statement {
    /// It gave so many rows, or failed.
    pub fn end(mut self, rows: Option<usize>) {
        if let Some(rows) = rows {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            self.0.set_attribute(KeyValue::new("db.response.returned_rows", rows));
        } else {
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

//! Every limit of the service, once, with what it protects. The documentation quotes these sentences.

use std::time::Duration;

/// Rows a connection gives when neither `first` nor `last` is asked.
pub const PAGE_DEFAULT: usize = 20;

/// Most rows a connection gives; `first` or `last` above it is an error, never cut in silence.
pub const PAGE_MAX: usize = 100;

/// Most changes a page of the change feed gives: larger than other pages, because consumers only follow it.
pub const PAGE_MAX_CHANGES: usize = 500;

/// Deepest nesting of `and`, `or`, `not` and relations in a filter, which bounds the SQL made from it.
pub const FILTER_DEPTH: usize = 8;

/// Most conditions in one filter, over all its levels.
pub const FILTER_CONDITIONS: usize = 100;

/// Most values in an `in` list of a filter: each is a bound parameter.
pub const FILTER_IN_MAX: usize = 1_000;

/// Longest text in a filter or search, in characters.
pub const FILTER_TEXT_CHARS: usize = 200;

/// Most keys in `orderBy`.
pub const ORDER_KEYS: usize = 5;

/// Longest cursor or opaque id read, in bytes.
pub const OPAQUE_BYTES: usize = 2_048;

/// Most ids in one `nodes`.
pub const NODES_MAX: usize = 100;

/// Most rows of `actionStatistics`; more groups are an error, never cut in silence.
pub const STATISTICS_ROWS: usize = 10_000;

/// Most points in one batch of `qpvAt`.
pub const POINTS_MAX: usize = 1_000;

/// How long the outlines in memory are used before the server looks whether they were loaded anew, in seconds.
pub const OUTLINES_FRESH_SECONDS: i64 = 5;

/// Most dimensions by which `actionStatistics` groups at once.
pub const GROUP_BY_MAX: usize = 3;

/// Longest access token that configuration may allow, in bytes.
pub const TOKEN_BYTES: usize = 16 * 1_024;

/// Good tokens known at once, least recently used out first; the others are checked anew.
pub const KNOWN_TOKENS: usize = 1_024;

/// Largest JWK set or issuer metadata read from an issuer, in bytes.
pub const JWKS_BYTES: usize = 256 * 1_024;

/// Most keys kept of one issuer's JWK set.
pub const JWKS_KEYS: usize = 100;

/// How long a fetch from an issuer may take: requests with an unknown key id wait for it.
pub const JWKS_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest life of a development token.
pub const DEV_TOKEN_TTL: Duration = Duration::from_hours(30 * 24);

/// Parsed documents kept, least recently used out first: a client sends the same few documents.
pub const DOCUMENT_CACHE: usize = 512;

/// Largest document kept in that cache, in bytes, so that its memory is bounded.
pub const DOCUMENT_CACHE_BYTES: usize = 16 * 1_024;

/// Largest request body, in bytes.
pub const BODY_BYTES: usize = 1_024 * 1_024;

/// The same for a caller whose token is for imports, whose calls carry thousands of items.
pub const IMPORT_BODY_BYTES: usize = 16 * 1_024 * 1_024;

/// Deepest nesting of fields in a document.
pub const DEPTH: usize = 20;

/// Most fields at the root of a document: each is planned on its own.
pub const ROOT_FIELDS: usize = 20;

/// Most fields in a document with its fragments written out, which is what validating and planning it costs.
pub const FIELDS: usize = 2_000;

/// Most fragments in a document.
pub const FRAGMENTS: usize = 100;

/// Most directives in a document with its fragments written out.
pub const DIRECTIVES: usize = 200;

/// Most lists and objects at the root that an operation reads, at one SQL statement each (two with a count); its
/// shape tells, before any runs.
pub const LEVELS: usize = 60;

/// Most decisions of one meeting, which are read with it at once.
pub const DECISIONS: usize = 50;

/// Longest decision of a meeting, in characters; longer texts belong into its summary.
pub const DECISION_CHARS: usize = 1_000;

/// How long the answer to an idempotency key is kept, in days.
pub const IDEMPOTENCY_DAYS: i64 = 7;

/// Refused writes recorded for one client in a minute; more are counted in the log alone, so that nobody fills the
/// disk with refusals.
pub const REFUSALS_A_MINUTE: u32 = 30;

/// The same for a whole day, which bounds what one client adds to the journal for ever.
pub const REFUSALS_A_DAY: u32 = 1_000;

/// Most items in one `syncActions`: larger imports are several calls.
pub const IMPORT_ITEMS: usize = 5_000;

/// Share of a site's actions that a snapshot may delete without being confirmed, in percent.
pub const SNAPSHOT_PERCENT: usize = 20;

/// Lines of a long import handled together, in one transaction: an answer after each.
pub const IMPORT_CHUNK: usize = 1_000;

/// Longest line of a long import, in bytes.
pub const IMPORT_LINE_BYTES: usize = 64 * 1_024;

/// Rows of an export read at once, which is what it holds in memory.
pub const EXPORT_PAGE: usize = 500;

/// Exports under way at once on one instance: each keeps a connection and a snapshot.
pub const EXPORTS: usize = 2;

/// How long an export may take: while it does, the database keeps all that was deleted since.
pub const EXPORT_DURATION: Duration = Duration::from_mins(10);

/// How long an export waits for a client that takes nothing.
pub const EXPORT_STALL: Duration = Duration::from_secs(30);

/// Memory at which the row group of a Parquet file is written, which its writer holds until then.
pub const EXPORT_ROW_GROUP_BYTES: usize = 16 * 1_024 * 1_024;

/// How often a write is tried in all when the database ends it in favour of another: nothing was written then.
pub const WRITE_ATTEMPTS: u32 = 3;

/// Most webhooks of one client: the feed is looked at for each.
pub const WEBHOOKS_OF_CLIENT: u64 = 10;

/// Webhooks that an instance delivers to at once.
pub const WEBHOOKS_AT_ONCE: usize = 8;

/// How long a receiver may take to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an instance delivers to one webhook before it looks at the others again; an attempt that has begun ends.
pub const WEBHOOK_TURN: Duration = Duration::from_secs(5);

/// Entries of the journal that a webhook has nothing of, and looks through each second, before it goes past them.
pub const WEBHOOK_SKIP: i64 = 1_000;

/// How long an instance that went away in the middle keeps others from going on; longer than one attempt.
pub const WEBHOOK_LEASE: Duration = Duration::from_secs(30);

/// How long a change is tried in vain before its webhook is paused.
pub const WEBHOOK_PATIENCE: chrono::TimeDelta = chrono::TimeDelta::days(3);

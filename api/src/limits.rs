//! Every limit of the service, once, with what it protects. The documentation quotes these sentences.

use std::time::Duration;

use crate::auth::Role;

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

/// Most values in all `in` lists of one filter: a statement takes no more than some tens of thousands.
pub const FILTER_VALUES: usize = 10_000;

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

/// Most rows of `actionStatistics` and of `partnerDuplicates` under which lists are asked: each is read for every row.
pub const TABLE_PARENTS: usize = 200;

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

/// Most revocations kept at once: every instance holds them in memory.
pub const REVOCATIONS: u64 = 10_000;

/// How often each instance reads them: a revoked token is refused by all after so long, and the time to read.
pub const REVOCATIONS_FRESH: Duration = Duration::from_secs(2);

/// How long a revocation is kept unless told: no token should live longer.
pub const REVOCATION_KEPT: chrono::TimeDelta = chrono::TimeDelta::days(30);

/// Largest JWK set or issuer metadata read from an issuer, in bytes.
pub const JWKS_BYTES: usize = 256 * 1_024;

/// Most keys kept of one issuer's JWK set.
pub const JWKS_KEYS: usize = 100;

/// How long a fetch from an issuer may take: requests with an unknown key id wait for it.
pub const JWKS_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest life of a development token.
pub const DEV_TOKEN_TTL: Duration = Duration::from_hours(30 * 24);

/// Deepest nesting of braces, brackets and parentheses in a document, counted before it is parsed: the parser calls
/// itself for each, and its stack is small.
pub const NESTING: usize = 100;

/// Longest name in a document, in bytes: each one unknown is told, and names are compared with others.
pub const NAME_BYTES: usize = 128;

/// Most operations of a document, of which one is run: the others are validated too.
pub const OPERATIONS: usize = 50;

/// Most errors told of one request; more say nothing new.
pub const ERRORS: usize = 50;

/// Memory of the parsed documents that are kept, in bytes, least recently used out first: a client sends the same few
/// documents.
pub const DOCUMENT_CACHE: u64 = 48 * 1_024 * 1_024;

/// How many documents that is for, as a rule; and most names of documents kept, which clients chose.
pub const DOCUMENTS: usize = 512;

/// Memory that a token of a parsed document takes at most, in bytes: a field, an argument or a value.
pub const DOCUMENT_TOKEN_BYTES: usize = 256;

/// Largest document kept in that cache, in bytes, so that its memory is bounded.
pub const DOCUMENT_CACHE_BYTES: usize = 16 * 1_024;

/// How long caches may keep what the public got by GET, in seconds: what is withdrawn is seen no longer than that.
pub const SHARED_SECONDS: u32 = 60;

/// Largest request body, in bytes.
pub const BODY_BYTES: usize = 1_024 * 1_024;

/// The same for a caller whose token is for imports, whose calls carry thousands of items.
pub const IMPORT_BODY_BYTES: usize = 16 * 1_024 * 1_024;

/// Most lists and objects at the root that an operation reads, at one SQL statement each (two with a count); its
/// shape tells, before any runs.
pub const LEVELS: usize = 60;

/// Most objects beside the rows of one list (`lead`, `site`), over all that are within each other: each is a join, of
/// which SQLite takes 64 in a statement.
pub const JOINS: usize = 40;

/// Most columns read for the rows of one list: PostgreSQL takes 1 664, SQLite 2 000.
pub const COLUMNS: usize = 1_500;

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

/// Most fields of all items together of a list that no statement gives (`syncActions.results`, `qpvsAt`): each is held in
/// memory before it is written.
pub const ITEM_FIELDS: usize = 200_000;

/// Most items in one `syncActions`: larger imports are several calls.
pub const IMPORT_ITEMS: usize = 5_000;

/// How far ahead of our clock the clock of a source system may be: what it dates later than that would silence all that it
/// says of the action until then.
pub const SOURCE_AHEAD: Duration = Duration::from_hours(24);

/// Seconds after which a client asks again, when the database does not answer or an instance is not ready.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// How long a database may take to say that it is there: a balancer asks every few seconds.
pub const READY_TIME: Duration = Duration::from_secs(2);

/// How long word of whether an instance is ready is passed on, in milliseconds: anybody may ask, and the database is asked
/// once for all.
pub const READY_KEPT_MS: i64 = 1_000;

/// Share of a site's actions that a snapshot may delete without being confirmed, in percent.
pub const SNAPSHOT_PERCENT: usize = 20;

/// Lines of a long import handled together, in one transaction: an answer after each.
pub const IMPORT_CHUNK: usize = 1_000;

/// Bytes after which lines are handled together though they are fewer.
pub const IMPORT_CHUNK_BYTES: usize = 8 * 1_024 * 1_024;

/// Long imports under way at once on one instance: each holds two chunks of lines, read and as they came, and the answer to
/// one of them.
pub const UPLOADS: usize = 16;

/// How many of them one client may have.
pub const UPLOADS_OF_CLIENT: usize = 4;

/// Longest line of a long import, in bytes.
pub const IMPORT_LINE_BYTES: usize = 64 * 1_024;

/// Rows of an export read at once, which is what it holds in memory.
pub const EXPORT_PAGE: usize = 500;

/// Exports under way at once on one instance: each keeps a connection and a snapshot.
pub const EXPORTS: usize = 4;

/// How many of them may be the public's.
pub const EXPORTS_OF_PUBLIC: usize = 2;

/// How many of them one address may have that shows no token: two slow readers would have all of the public's.
pub const EXPORTS_OF_ADDRESS: usize = 1;

/// How many of them one client with a token may have.
pub const EXPORTS_OF_CLIENT: usize = 2;

/// Points of an export, whatever its length: the client takes it as fast as it can.
pub const EXPORT_POINTS: u64 = 1_000;

/// How long an export may take: while it does, the database keeps all that was deleted since.
pub const EXPORT_DURATION: Duration = Duration::from_mins(10);

/// How long an export waits for a client that takes nothing.
pub const EXPORT_STALL: Duration = Duration::from_secs(30);

/// Memory at which the row group of a Parquet file is written, which its writer holds until then.
pub const EXPORT_ROW_GROUP_BYTES: usize = 16 * 1_024 * 1_024;

/// How often a write is tried in all when the database ends it in favour of another: nothing was written then.
pub const WRITE_ATTEMPTS: u32 = 3;

/// Entries of the journal that one page of the feed, or of a stream, looks through, whoever sees them.
pub const FEED_LOOK: usize = 20_000;

/// Changes that a stream reads and holds at once: what a subscriber who lags behind takes of memory.
pub const LIVE_PAGE: usize = 50;

/// Bytes of changes that a stream holds at once, beside one change that is longer: who does not read keeps them.
pub const LIVE_PAGE_BYTES: usize = 256 * 1_024;

/// Answers to the public of so many bytes count as unread until their last piece is handed over.
pub const LONG_ANSWER: usize = 256 * 1_024;

/// Bytes of such answers that an instance holds for those who have not read them.
pub const UNREAD: usize = 256 * 1_024 * 1_024;

/// The same for one address.
pub const UNREAD_OF_ADDRESS: usize = 64 * 1_024 * 1_024;

/// How long changes that were read are sent without being read again: rights may have changed since.
pub const LIVE_PAGE_FRESH: Duration = Duration::from_secs(1);

/// How often a stream whose caller's token or grant may end looks at them when nothing else happens.
pub const LIVE_CHECK: Duration = Duration::from_secs(15);

/// Entries of the journal looked at together to find out who is to be woken.
pub const LIVE_TAIL: usize = 1_000;

/// Least time between two such looks, which bounds what they cost while many write.
pub const LIVE_PAUSE: Duration = Duration::from_millis(5);

/// How often the journal is looked at though nothing is heard.
pub const LIVE_POLL: Duration = Duration::from_secs(5);

/// The same while this instance does not hear others.
pub const LIVE_POLL_DEAF: Duration = Duration::from_secs(1);

/// Longest wait for an older transaction before the journal is looked at again.
pub const LIVE_UNSETTLED: Duration = Duration::from_millis(250);

/// Names of operations that metrics tell apart; a scrape holds some twenty lines for each.
pub const OPERATION_NAMES: usize = 200;

/// Longest name of an operation in metrics, in bytes.
pub const OPERATION_NAME_BYTES: usize = 80;

/// How long a scrape of metrics waits for the database.
pub const SCRAPE_WAIT: Duration = Duration::from_secs(2);

/// How long the collector of traces may take for what it is sent.
pub const TRACE_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest text of a statement in a trace, in bytes; the rest is left out.
pub const TRACED_SQL_BYTES: usize = 4_096;

/// How soon after each other an instance tells others of commits: soon enough for people, and not for each of thousands.
pub const NEWS_PAUSE: Duration = Duration::from_millis(5);

/// How often each instance sends word on PostgreSQL though it has none, to hear it come back.
pub const NEWS_ECHO: Duration = Duration::from_secs(10);

/// How long a listener that hears nothing, not even itself, is trusted.
pub const NEWS_SILENCE: Duration = Duration::from_secs(15);

/// How often each instance looks at the replica: a client that wrote is served by the primary until a later look.
pub const REPLICA_LOOK: Duration = Duration::from_millis(200);

/// How long a read waits for a connection to the replica, or for a lock there, before the primary is asked.
pub const REPLICA_WAIT: Duration = Duration::from_secs(1);

/// Clients that wrote or were told of changes, and are remembered until the replica has caught up with them; past these
/// everybody reads from the primary for a moment.
pub const REPLICA_CLIENTS: usize = 20_000;

/// Looks that are remembered while the replica stands still.
pub const REPLICA_LOOKS: usize = 1_024;

/// Largest message taken over a WebSocket, in bytes; larger operations go by POST.
pub const SOCKET_MESSAGE_BYTES: usize = 128 * 1_024;

/// Most operations under way on one WebSocket.
pub const SOCKET_OPERATIONS: usize = 50;

/// Most requests in progress on one connection, which over HTTP/2 are many at once: as many as other servers take. Of
/// HTTP/1.1 there is one.
pub const CONNECTION_REQUESTS: usize = 100;

/// How long a WebSocket may be silent before its client is asked whether it is there, and then until it is given up.
pub const SOCKET_SILENCE: Duration = Duration::from_secs(30);

/// How long a WebSocket without a token may have nothing under way: its place is another's then.
pub const SOCKET_IDLE: Duration = Duration::from_mins(1);

/// Most streams of one address that shows no token, out of the half of all streams that the public may have.
pub const STREAMS_OF_ADDRESS: usize = 100;

/// Most streams of one client with a token.
pub const STREAMS_OF_CLIENT: usize = 1_000;

/// How often a quiet event stream gets a comment, by which proxies keep it open and a client that is gone is noticed.
pub const STREAM_SILENCE: Duration = Duration::from_secs(15);

/// Most points of a read that is served though expensive ones wait.
pub const LIGHT_POINTS: u64 = 100;

/// Most points of a write that is served though imports wait: a document of as many mutations as it may have.
pub const SMALL_WRITE_POINTS: u64 = 250;

/// How long a cheap read waits for its turn, at most, when more is asked than can be served.
pub const LIGHT_PATIENCE: Duration = Duration::from_secs(2);

/// The same for an expensive one.
pub const HEAVY_PATIENCE: Duration = Duration::from_secs(4);

/// The same for a small write.
pub const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// The same for a large one, whose sender has time.
pub const BULK_PATIENCE: Duration = Duration::from_secs(20);

/// Points of every operation, whatever it asks, taken before its document is looked at.
pub const REQUEST_POINTS: u64 = 1;

/// Bytes of a request that these points pay for: as many as most documents have with their variables.
pub const REQUEST_BYTES: usize = 16 * 1_024;

/// Bytes beyond them for each of which a request costs a point more, whatever it asks: they were inflated and read.
pub const REQUEST_BYTES_A_POINT: usize = 4 * 1_024;

/// Lists of related rows that a filter may look through, one within the other (`some`, `none`).
pub const FILTER_LISTS: u32 = 3;

/// Points of a list that a filter looks through; of one within another, so many times as many.
pub const FILTER_LIST_POINTS: u64 = 10;

/// How long the database may work for a read before each further millisecond costs a point.
pub const READ_TIME: Duration = Duration::from_secs(1);

/// Bytes of an answer for each of which it costs a point, whatever was asked: a row is some hundred bytes, but a field may
/// be asked many times.
pub const ANSWER_BYTES_A_POINT: usize = 4 * 1_024;

/// Points of counting one list (`totalCount`).
pub const COUNT_POINTS: u64 = 5;

/// Rows for which a list without pages counts: such sets are short by their nature.
pub const LIST_POINTS: u64 = 3;

/// Points of statistics or of a comparison of all rows, whatever comes of it.
pub const AGGREGATE_POINTS: u64 = 200;

/// Most lists of the schema within each other that introspection goes through: each multiplies the answer. graphql-js
/// takes as many.
pub const INTROSPECTION_LISTS: usize = 2;

/// Points of introspection, which no row bounds.
pub const INTROSPECTION_POINTS: u64 = 200;

/// Points of one mutation, beside one for each item of the lists in its input.
pub const MUTATION_POINTS: u64 = 10;

/// Clients whose points are known at once, least recently seen out first: one that is forgotten begins anew.
pub const CLIENTS: usize = 20_000;

/// How often an instance exchanges with others what its clients have left, where that is shared: what a client gets too
/// much by asking several at once is what they give in so long.
pub const BUDGETS_EVERY: Duration = Duration::from_secs(1);

/// How long the database may take for it; the instance counts alone then.
pub const BUDGETS_WAIT: Duration = Duration::from_secs(5);

/// Most clients in one statement of it.
pub const BUDGETS_AT_ONCE: usize = 1_000;

/// What a document may be, counted in linear time before it is validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Longest document, in bytes.
    pub bytes: usize,
    /// Most tokens: names, punctuators, numbers and texts.
    pub tokens: usize,
    /// Deepest nesting of fields.
    pub depth: usize,
    /// Most fields with an alias, fragments written out: each is answered on its own.
    pub aliases: usize,
    /// Most fields at the root of an operation: each is planned on its own.
    pub root_fields: usize,
    /// Most fields with fragments written out, which is what validating and planning costs; and as many fragments, each
    /// counted where it is spread.
    pub fields: usize,
    /// Most fragments.
    pub fragments: usize,
    /// Most directives with fragments written out.
    pub directives: usize,
    /// Most values in the variables, lists and objects counted with what they hold.
    pub variables: usize,
}

impl DocumentLimits {
    /// The limits of everybody whom configuration says nothing else about; imports carry thousands of items.
    pub const fn of(role: Role) -> Self {
        Self {
            bytes: 128 * 1_024,
            tokens: 15_000,
            depth: 20,
            aliases: 500,
            root_fields: 20,
            fields: 2_000,
            fragments: 100,
            directives: 200,
            variables: if matches!(role, Role::Public) { 10_000 } else { 500_000 },
        }
    }
}

/// What callers of a role may ask at most, in one operation and over time; configuration may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Most points that one operation asks for, before any statement runs.
    pub operation: u64,
    /// Points that a client has when it has asked nothing for a while.
    pub bucket: u64,
    /// Points given back each second.
    pub restore_rate: u64,
    /// Whether the schema may be asked for (`__schema`, `__type`).
    pub introspection: bool,
    /// Longest answer, in bytes, which is held in memory until it is sent: of an operation with all it holds, and of an
    /// event.
    pub answer: usize,
    /// What its document may be.
    pub document: DocumentLimits,
}

impl Allowance {
    /// The allowance of a role: enough for dashboards all day and for imports without pause, too little to keep a
    /// database busy.
    pub const fn of(role: Role) -> Self {
        let (introspection, answer, document) = (true, 32 * 1_024 * 1_024, DocumentLimits::of(role));
        match role {
            Role::Anct | Role::PartnerSystem => Self {
                operation: 100_000,
                bucket: 1_000_000,
                restore_rate: 10_000,
                introspection,
                answer,
                document,
            },
            Role::Prefecture | Role::Collectivite => Self {
                operation: 100_000,
                bucket: 500_000,
                restore_rate: 5_000,
                introspection,
                answer,
                document,
            },
            Role::Public => Self {
                operation: 50_000,
                bucket: 100_000,
                restore_rate: 1_000,
                introspection,
                answer,
                document,
            },
        }
    }
}

/// Most webhooks of one client: the feed is looked at for each.
pub const WEBHOOKS_OF_CLIENT: u64 = 10;

/// Webhooks that an instance delivers to at once.
pub const WEBHOOKS_AT_ONCE: usize = 8;

/// Of these, how many of one client: its receivers may all be slow.
pub const WEBHOOKS_OF_CLIENT_AT_ONCE: usize = 2;

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

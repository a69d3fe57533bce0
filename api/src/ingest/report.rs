//! What a loading did, for the run row and for people.

use std::fmt;

use entity::enums::IngestState;

/// Errors kept per file; the rest is counted only.
const KEPT_ERRORS: usize = 100;

/// What is wrong in one place, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, as `unknown commune 99999`.
    pub what: String,
    /// What was expected, as `a commune of the COG 2024`.
    pub expected: String,
}

impl Wrong {
    /// What is wrong, and what was expected instead.
    pub fn new(what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into() }
    }
}

/// What one source brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Name of the source, as `cog-communes`.
    pub source: &'static str,
    /// Its main file.
    pub file: &'static str,
    /// Edition of its data.
    pub vintage: &'static str,
    /// Outcome.
    pub state: IngestState,
    /// Lines read, headers left out.
    pub lines: u64,
    /// Rows made.
    pub created: u64,
    /// Rows changed.
    pub updated: u64,
    /// Rows found as they should be.
    pub unchanged: u64,
    /// Lines left out on purpose, such as values under statistical secrecy.
    pub skipped: u64,
    /// Lines refused.
    pub rejected: u64,
    /// The first 100 refusals: `file:line: what is wrong, what was expected`.
    pub errors: Vec<String>,
}

impl FileReport {
    /// A report of nothing yet.
    pub(super) fn new(source: &'static str, file: &'static str, vintage: &'static str) -> Self {
        Self {
            source,
            file,
            vintage,
            state: IngestState::Running,
            lines: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            skipped: 0,
            rejected: 0,
            errors: Vec::new(),
        }
    }

    /// Counts a refused line and keeps its reason.
    pub(super) fn reject(&mut self, file: &str, line: u64, wrong: &Wrong) {
        self.rejected += 1;
        if self.errors.len() < KEPT_ERRORS {
            self.errors.push(format!("{file}:{line}: {}, expected {}", wrong.what, wrong.expected));
        }
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.state == IngestState::Unchanged {
            return write!(f, "{:<22} unchanged", self.source);
        }
        write!(
            f,
            "{:<22} {:>6} lines: {} created, {} updated, {} unchanged",
            self.source, self.lines, self.created, self.updated, self.unchanged
        )?;
        if self.skipped > 0 {
            write!(f, ", {} left out", self.skipped)?;
        }
        if self.rejected > 0 {
            write!(f, ", {} refused", self.rejected)?;
        }
        self.errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

/// What a whole loading did, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// One report per source.
    pub files: Vec<FileReport>,
}

impl Report {
    /// Whether nothing had to be done.
    pub fn is_unchanged(&self) -> bool {
        self.files.iter().all(|file| file.state == IngestState::Unchanged)
    }

    /// Lines refused, over all files.
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }

    /// The report of one source, if it was asked for.
    pub fn of(&self, source: &str) -> Option<&FileReport> {
        self.files.iter().find(|file| file.source == source)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unchanged() {
            return write!(f, "data unchanged ({} sources)", self.files.len());
        }
        self.files.iter().try_for_each(|file| writeln!(f, "{file}"))
    }
}

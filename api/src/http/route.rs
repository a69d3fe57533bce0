//! What a path leads to, as far as the operator tells requests apart.

/// A kind of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// GraphQL over HTTP.
    Graphql,
    /// GraphQL over WebSocket.
    Socket,
    /// GraphQL over Server-Sent Events.
    Stream,
    /// Imports.
    Import,
    /// Exports.
    Export,
    /// Whether the process answers.
    Live,
    /// Whether it can serve.
    Ready,
    /// Pages, and what is not there.
    Other,
}

impl Route {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Graphql,
        Self::Socket,
        Self::Stream,
        Self::Import,
        Self::Export,
        Self::Live,
        Self::Ready,
        Self::Other,
    ];

    /// Where a path leads.
    pub fn of(path: &str) -> Self {
        let exact = Self::ALL.into_iter().find(|route| route.pattern() == path);
        exact.unwrap_or(if path.starts_with("/export/") { Self::Export } else { Self::Other })
    }

    /// Its path; what is not there has none.
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Graphql => super::GRAPHQL_PATH,
            Self::Socket => "/graphql/ws",
            Self::Stream => "/graphql/stream",
            Self::Import => "/import/actions",
            Self::Export => "/export/{file}",
            Self::Live => "/health/live",
            Self::Ready => "/health/ready",
            Self::Other => "other",
        }
    }
}

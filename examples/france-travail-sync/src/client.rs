//! Asks the API, and asks again where that may help.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use graphql_client::{GraphQLQuery, Response};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, RETRY_AFTER};
use serde_json::json;

/// Longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(30);
/// First wait, at most; it doubles with each attempt.
const FIRST: Duration = Duration::from_millis(200);

/// Where the access token comes from.
#[derive(Clone, Debug)]
pub enum Token {
    /// It is given once.
    Text(String),
    /// A file that somebody else renews; it is read for each request.
    File(PathBuf),
}

/// The API as one client sees it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Token,
    patience: Duration,
}

/// Why a request was not answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// The API's code, or `HTTP nnn`, or `NETWORK`.
    pub code: String,
    /// For people.
    pub message: String,
    /// The same request may succeed later.
    pub again: bool,
    /// How long the API asks to wait.
    pub after: Option<Duration>,
}

impl Client {
    /// A client of the API at a URL (`https://…/graphql`), which tries again for so long.
    #[must_use]
    pub fn new(url: &str, token: Token, patience: Duration) -> Self {
        Self { http: reqwest::Client::new(), url: url.to_owned(), token, patience }
    }

    /// The answer to a document, as it may have been some seconds ago.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn ask<Q: GraphQLQuery>(&self, variables: Q::Variables) -> Result<Q::ResponseData, Refused> {
        self.send::<Q>(&body::<Q>(variables)?).await
    }

    /// The answer to a document, with all that was ever written: a reading on which a cursor of the feed goes on must miss
    /// nothing that came before the cursor, and the API may answer from a copy that is a little behind.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn ask_latest<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Q::ResponseData, Refused> {
        let mut body =
            serde_json::to_value(Q::build_query(variables)).map_err(|error| Refused::ours(&error))?;
        body["extensions"] = json!({ "causality": "latest" });
        self.send::<Q>(&body.to_string()).await
    }

    /// The answer to a body. What may pass is tried again, so a change must carry its idempotency key.
    ///
    /// # Errors
    /// What is final, or what has not passed while the client was patient.
    pub async fn send<Q: GraphQLQuery>(&self, body: &str) -> Result<Q::ResponseData, Refused> {
        let (start, mut most) = (Instant::now(), FIRST);
        loop {
            let mut refused = match self.once::<Q>(body.to_owned()).await {
                Ok(data) => return Ok(data),
                Err(refused) => refused,
            };
            // somebody is about to put another token into the file
            refused.again |= refused.is_of_token() && matches!(self.token, Token::File(_));
            if !refused.again || start.elapsed() > self.patience {
                return Err(refused);
            }
            // at random, so that clients that were cut off together do not come back together
            let wait = refused.after.unwrap_or_default() + most.mul_f64(rand::random());
            eprintln!("{refused}; nouvel essai dans {} ms", wait.as_millis());
            tokio::time::sleep(wait).await;
            most = (most * 2).min(LONGEST);
        }
    }

    async fn once<Q: GraphQLQuery>(&self, body: String) -> Result<Q::ResponseData, Refused> {
        let token = match &self.token {
            Token::Text(token) => token.clone(),
            Token::File(path) => std::fs::read_to_string(path).map_err(|error| Refused::ours(&error))?,
        };
        let request = self.http.post(&self.url).bearer_auth(token.trim()).body(body);
        let request = request.header("content-type", "application/json");
        let request = request.header(ACCEPT, "application/graphql-response+json");
        let answer = request.send().await.map_err(|error| Refused::network(&error))?;
        let (status, after) = (answer.status(), retry_after(&answer));
        let text = answer.bytes().await.map_err(|error| Refused::network(&error))?;
        let Ok(answer) = serde_json::from_slice::<Response<Q::ResponseData>>(&text) else {
            return Err(Refused::status(status, after));
        };
        match (answer.errors.unwrap_or_default().into_iter().next(), answer.data) {
            (None, Some(data)) => Ok(data),
            (None, None) => Err(Refused::status(status, after)),
            (Some(error), _) => Err(Refused::told(error, after)),
        }
    }
}

/// What is sent for a document.
///
/// # Errors
/// When its variables are no JSON.
pub fn body<Q: GraphQLQuery>(variables: Q::Variables) -> Result<String, Refused> {
    serde_json::to_string(&Q::build_query(variables)).map_err(|error| Refused::ours(&error))
}

fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

impl Refused {
    fn ours(error: &dyn std::error::Error) -> Self {
        Self { code: "CLIENT".to_owned(), message: error.to_string(), again: false, after: None }
    }

    /// The token is not good, or not any more.
    fn is_of_token(&self) -> bool {
        matches!(self.code.as_str(), "UNAUTHENTICATED" | "TOKEN_EXPIRED" | "TOKEN_REVOKED" | "TOKEN_INVALID")
    }

    /// The line was cut: whether the request arrived is not known.
    fn network(error: &reqwest::Error) -> Self {
        Self { code: "NETWORK".to_owned(), message: error.to_string(), again: true, after: None }
    }

    /// Something between us and the API answered, or the answer did not arrive whole.
    fn status(status: StatusCode, after: Option<Duration>) -> Self {
        let again = status.is_success() || status.is_server_error() || [408, 429].contains(&status.as_u16());
        let code = format!("HTTP {}", status.as_u16());
        Self { code, message: "réponse illisible".to_owned(), again, after }
    }

    /// The API says what is wrong; `docs/errors.md` says of each code whether it passes.
    fn told(error: graphql_client::Error, after: Option<Duration>) -> Self {
        let extensions = error.extensions.unwrap_or_default();
        let code = extensions.get("code").and_then(|code| code.as_str()).unwrap_or("UNKNOWN").to_owned();
        let again = matches!(
            code.as_str(),
            "RATE_LIMITED" | "UNAVAILABLE" | "OUTCOME_UNKNOWN" | "REQUEST_TIMEOUT" | "INTERNAL"
        );
        let told = extensions.get("retryAfter").and_then(serde_json::Value::as_u64).map(Duration::from_secs);
        Self { code, message: error.message, again, after: told.or(after) }
    }
}

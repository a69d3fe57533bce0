//! The engine against the reference: random valid documents, answered by the API and by graphql-js over the same
//! rows, must come to the same bytes of `data`, keys in the same order.
//!
//! `schema` reads the schema, `pool` takes values from the rows, `generate` writes a document from a seed with
//! `arguments`, `variables` and `literal`, `reference` runs graphql-js, `compare` puts answers in one spelling.

mod arguments;
mod compare;
mod generate;
pub mod literal;
pub mod pool;
mod reference;
pub mod schema;
mod variables;

use serde_json::Value;

pub use self::compare::Response;
pub use self::generate::{Request, Size};
pub use self::reference::Reference;

use self::pool::Pool;
use self::schema::Schema;
use crate::TestApp;

/// Documents that are asked at once.
const BATCH: usize = 24;
/// How large documents are.
const SIZE: Size = Size { depth: 7, width: 4 };

/// Compares an API with graphql-js for one caller.
#[derive(Debug)]
pub struct Differential {
    schema: Schema,
    pool: Pool,
    reference: Option<Reference>,
    http: reqwest::Client,
    url: String,
    authorization: Option<String>,
}

/// A document whose answers differ.
#[derive(Debug)]
pub struct Difference {
    seed: u64,
    request: Request,
    ours: String,
    reference: String,
}

impl Differential {
    /// Prepares the comparison for the caller of an `Authorization` header.
    pub async fn new(app: &TestApp, authorization: Option<String>) -> Self {
        let sdl = cites::graphql::sdl().expect("the schema is printed");
        let mut it = Self {
            schema: Schema::parse(&sdl),
            pool: Pool::default(),
            reference: Some(Reference::start(&sdl, &app.url(), authorization.as_deref())),
            // no connection waits while graphql-js works: the server ends idle ones, perhaps as one is used again
            http: reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client"),
            url: app.url(),
            authorization,
        };
        it.pool = Pool::collect(&it.schema, async |query| it.data(&query).await).await;
        it
    }

    /// Compares the documents of so many seeds; stops at the first that differs. Answers how many were compared: all
    /// but those that ask more than the API's limits allow.
    pub async fn run(&mut self, seeds: std::ops::Range<u64>) -> Result<u64, Box<Difference>> {
        let seeds: Vec<u64> = seeds.collect();
        let mut compared = 0;
        for batch in seeds.chunks(BATCH) {
            match self.batch(batch, SIZE).await {
                Ok(count) => compared += count,
                Err(difference) => return Err(Box::new(self.smaller(difference).await)),
            }
        }
        Ok(compared)
    }

    /// Compares requests; answers what graphql-js and the API say to each.
    pub async fn both(&mut self, requests: Vec<Request>) -> Vec<(Request, Response, Response)> {
        let mut reference = self.reference.take().expect("the reference is there");
        let asked = requests.clone();
        let theirs = tokio::task::spawn_blocking(move || {
            let answers = reference.answers(&asked);
            (reference, answers)
        });
        let mut ours = Vec::new();
        for request in &requests {
            ours.push(
                serde_json::from_str(&self.ask(&request.json()).await).expect("the answer is a response"),
            );
        }
        let (reference, theirs) = theirs.await.expect("the reference answers");
        self.reference = Some(reference);
        requests
            .into_iter()
            .zip(theirs)
            .zip(ours)
            .map(|((request, theirs), ours)| (request, theirs, ours))
            .collect()
    }

    async fn batch(&mut self, seeds: &[u64], size: Size) -> Result<u64, Difference> {
        let request = |seed: &u64| generate::request(&self.schema, &self.pool, *seed, size);
        let requests: Vec<Request> = seeds.iter().map(request).collect();
        let mut compared = 0;
        for (seed, (request, theirs, ours)) in seeds.iter().zip(self.both(requests).await) {
            if ours.exceeds_a_limit() && theirs.errors.is_none() {
                continue;
            }
            compared += 1;
            if theirs.errors.is_some() || ours.errors.is_some() || theirs.data() != ours.data() {
                return Err(Difference {
                    seed: *seed,
                    request,
                    ours: ours.shown(),
                    reference: theirs.shown(),
                });
            }
        }
        Ok(compared)
    }

    /// A smaller document that differs too, if small documents of the next seeds have one.
    async fn smaller(&mut self, found: Difference) -> Difference {
        for (depth, width) in [(3, 2), (4, 2), (5, 3), (6, 4)] {
            let seeds: Vec<u64> = (found.seed..found.seed + 400).collect();
            for batch in seeds.chunks(BATCH) {
                if let Err(smaller) = self.batch(batch, Size { depth, width }).await {
                    println!("{found}\na smaller document that differs:");
                    return smaller;
                }
            }
        }
        found
    }

    async fn data(&self, query: &str) -> Value {
        let text = self.ask(&serde_json::json!({ "query": query })).await;
        let mut body: Value = serde_json::from_str(&text).expect("the answer is JSON");
        assert!(body.get("errors").is_none(), "{query}: {text}");
        body["data"].take()
    }

    async fn ask(&self, body: &Value) -> String {
        let mut request =
            self.http.post(&self.url).header("content-type", "application/json").body(body.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await.expect("the API answers");
        response.text().await.expect("the answer is text")
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, request, ours, reference } = self;
        let Request { document, variables, operation } = request;
        let variables = Value::from(variables.clone());
        writeln!(f, "seed {seed}, operation {operation:?}, variables {variables}\n{document}")?;
        write!(f, "API:        {ours}\ngraphql-js: {reference}")
    }
}

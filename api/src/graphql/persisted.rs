//! Documents that clients name instead of sending them: those of the operator's manifest, which are trusted, and those
//! that were sent before (automatic persisted queries).

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use async_graphql::Name;
use async_graphql::parser::types::OperationType;
use quick_cache::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::document::Documents;
use crate::auth::Role;
use crate::error::{ApiError, Code};
use crate::limits::{self, DocumentLimits};
use crate::read::model::Model;

const PREFIX: &str = "sha256:";

/// The documents that have names.
pub struct Persisted {
    /// Of the manifest, by every name that they have.
    trusted: HashMap<String, Arc<str>>,
    /// The same, each once, with the names that the manifest gives it.
    manifest: Vec<(String, Arc<str>)>,
    /// Sent before, by hash.
    sent: Cache<String, Arc<str>>,
    /// Roles that run nothing but trusted documents.
    only_trusted: Vec<Role>,
    /// The named operations of trusted documents.
    pub(super) operations: Vec<(Name, OperationType)>,
}

impl Default for Persisted {
    fn default() -> Self {
        let sent = Cache::new(limits::DOCUMENTS);
        Self {
            trusted: HashMap::new(),
            manifest: Vec::new(),
            sent,
            only_trusted: Vec::new(),
            operations: Vec::new(),
        }
    }
}

/// The forms of a manifest: that of Relay and of graphql-codegen, a document by its id, and that of Apollo.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<Named> },
    Flat(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Named {
    id: String,
    body: String,
    name: Option<String>,
}

impl Persisted {
    /// The trusted documents of a manifest, and the roles that run nothing else.
    pub fn load(manifest: &Path, only_trusted: Vec<Role>) -> anyhow::Result<Self> {
        let about = || format!("the manifest {}", manifest.display());
        let text = std::fs::read_to_string(manifest).with_context(about)?;
        Self::read(&text, only_trusted).with_context(about)
    }

    fn read(text: &str, only_trusted: Vec<Role>) -> anyhow::Result<Self> {
        let manifest = serde_json::from_str(text).context(
            "expected a JSON object of documents by id, or one with \"operations\", each with id and body",
        )?;
        let mut persisted = Self { only_trusted, ..Self::default() };
        match manifest {
            Manifest::Flat(documents) => {
                for (id, body) in documents {
                    persisted.trust(&[&id], &body)?;
                }
            }
            Manifest::Apollo { operations } => {
                for Named { id, body, name } in operations {
                    let names = [Some(id.as_str()), name.as_deref()].into_iter().flatten();
                    persisted.trust(&names.collect::<Vec<_>>(), &body)?;
                }
            }
        }
        Ok(persisted)
    }

    fn trust(&mut self, names: &[&str], body: &str) -> anyhow::Result<()> {
        let document =
            async_graphql::parser::parse_query(body).with_context(|| format!("the document {names:?}"))?;
        let operations = document.operations.iter();
        self.operations
            .extend(operations.filter_map(|(name, operation)| Some((name?.clone(), operation.node.ty))));
        let (hash, body) = (hash(body), Arc::<str>::from(body));
        self.manifest.push((names.join(", "), Arc::clone(&body)));
        for name in
            names.iter().map(|name| (*name).to_owned()).chain([format!("{PREFIX}{hash}"), hash.clone()])
        {
            if let Some(claimed) = name.strip_prefix(PREFIX) {
                ensure!(claimed == hash, "the document {name} has the hash {hash}");
            }
            match self.trusted.insert(name.clone(), Arc::clone(&body)) {
                Some(other) if other != body => bail!("two documents are called {name:?}"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes sure that the trusted documents are right and within the limits of some callers; tells how many there are.
    pub(super) async fn check(
        &self,
        model: &Model,
        documents: &Documents,
        limits: &[DocumentLimits],
    ) -> anyhow::Result<usize> {
        for (names, body) in &self.manifest {
            let mut wrong = Vec::new();
            for limits in limits {
                match documents.checked(model, body, limits).await {
                    Ok(_) => {
                        wrong.clear();
                        break;
                    }
                    Err(errors) => wrong = errors,
                }
            }
            if let Some(error) = wrong.first() {
                bail!("the trusted document {names} does not fit this server: {}", error.message);
            }
        }
        Ok(self.manifest.len())
    }

    /// The text to run for a caller: sent, or named, or both, when the name must be the hash of what is sent.
    pub fn text<'a>(
        &self,
        query: Option<&'a str>,
        id: Option<&str>,
        role: Role,
    ) -> Result<Cow<'a, str>, ApiError> {
        let found = match (query, id) {
            (Some(query), Some(id)) if hash(query) != id.strip_prefix(PREFIX).unwrap_or(id) => {
                let message = "the identifier is not the hash of the document that came with it";
                return Err(ApiError::new(Code::BadUserInput, message)
                    .expected("its SHA-256 in lower-case hexadecimal, or one of both alone"));
            }
            (Some(query), _) => Some(Cow::Borrowed(query)),
            (None, Some(id)) => self.named(id).map(|text| Cow::Owned(text.as_ref().to_owned())),
            (None, None) => None,
        };
        if self.only_trusted.contains(&role)
            && !found.as_ref().is_some_and(|text| self.trusted.contains_key(&hash(text)))
        {
            let message = "only the documents that the operator trusts are run here without other rights";
            return Err(ApiError::new(Code::DocumentNotTrusted, message).expected("a `documentId` of theirs"));
        }
        found.ok_or_else(|| {
            // the very text by which clients know that they must send it
            ApiError::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound")
                .expected("the document itself")
        })
    }

    fn named(&self, id: &str) -> Option<Arc<str>> {
        let known = self.trusted.get(id).cloned();
        known.or_else(|| self.sent.get(id.strip_prefix(PREFIX).unwrap_or(id)))
    }

    /// Remembers a right document by the hash with which it was sent.
    pub fn remember(&self, query: Option<&str>, id: Option<&str>) {
        if let (Some(query), Some(id)) = (query, id)
            && query.len() <= limits::DOCUMENT_CACHE_BYTES
        {
            self.sent.insert(id.strip_prefix(PREFIX).unwrap_or(id).to_owned(), query.into());
        }
    }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "{__typename}";

    fn text(persisted: &Persisted, id: &str) -> Option<String> {
        persisted.text(None, Some(id), Role::Public).ok().map(Cow::into_owned)
    }

    #[test]
    fn documents_are_found_by_each_of_their_names() {
        let flat = Persisted::read(r#"{ "one": "{__typename}" }"#, Vec::new()).unwrap();
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{ "id": "x1", "body": "{__typename}", "name": "one", "type": "query" }] }"#;
        let apollo = Persisted::read(apollo, Vec::new()).unwrap();
        for id in ["one".to_owned(), hash(BODY), format!("sha256:{}", hash(BODY))] {
            assert_eq!(text(&flat, &id).as_deref(), Some(BODY), "{id}");
            assert_eq!(text(&apollo, &id).as_deref(), Some(BODY), "{id}");
        }
        assert_eq!(text(&apollo, "x1").as_deref(), Some(BODY));
        assert_eq!(text(&flat, "x1"), None);
    }

    #[test]
    fn a_manifest_that_lies_is_refused() {
        let other = hash("{a}");
        for wrong in [
            "",
            "[]",
            r#"{ "a": 1 }"#,
            r#"{ "a": "{" }"#,
            &format!(r#"{{ "sha256:{other}": "{BODY}" }}"#),
            r#"{ "operations": [{ "id": "a", "body": "{a}" }, { "id": "a", "body": "{b}" }] }"#,
        ] {
            assert!(Persisted::read(wrong, Vec::new()).is_err(), "{wrong}");
        }
    }
}

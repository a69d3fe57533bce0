//! Those who ask: the public, ANCT, a préfecture, a collectivity, a partner's system.

use std::time::Duration;

use cites::auth::dev::DevClaims;
use cites::auth::{Role, Scope};
use serde_json::{Value, json};

use crate::{Answer, EventStream, TestApp};

/// Sites granted to a partner's client.
#[derive(Clone, Copy, Debug)]
pub enum GrantedSites<'a> {
    /// Every site.
    All,
    /// The sites of these codes.
    Codes(&'a [&'a str]),
}

/// Somebody who asks a server.
#[derive(Clone, Debug)]
pub struct Persona<'a> {
    app: &'a TestApp,
    /// What the token says; none for the public.
    pub claims: Option<DevClaims>,
}

impl<'a> Persona<'a> {
    pub(crate) fn public(app: &'a TestApp) -> Self {
        Self { app, claims: None }
    }

    /// Somebody with a token of a role, with every scope that the role can use.
    pub(crate) fn of(app: &'a TestApp, role: Role) -> Self {
        let name = format!("test-{}", role.name());
        let scopes = match role {
            Role::Anct => Scope::ALL.to_vec(),
            Role::PartnerSystem => vec![Scope::Read, Scope::Write, Scope::Import],
            _ => vec![Scope::Read, Scope::Write, Scope::Referents, Scope::Import],
        };
        let claims = DevClaims {
            role,
            sub: name.clone(),
            client_id: name,
            departements: Vec::new(),
            sirens: Vec::new(),
            source: None,
            scopes,
            ttl: Duration::from_hours(1),
        };
        Self { app, claims: Some(claims) }
    }

    /// The same with other claims.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut DevClaims)) -> Self {
        if let Some(claims) = &mut self.claims {
            change(claims);
        }
        self
    }

    /// The same with a token for these scopes alone.
    #[must_use]
    pub fn scopes(self, scopes: &[Scope]) -> Self {
        self.with(|claims| claims.scopes = scopes.to_vec())
    }

    /// The server that is asked.
    pub(crate) const fn app(&self) -> &'a TestApp {
        self.app
    }

    /// The same person before another instance of the server.
    pub fn before<'b>(&self, app: &'b TestApp) -> Persona<'b> {
        Persona { app, claims: self.claims.clone() }
    }

    /// Follows a document of one subscription over Server-Sent Events.
    pub async fn stream(&self, document: &str, variables: Value) -> EventStream {
        let body = json!({ "query": document, "variables": variables });
        EventStream::of(self.app.stream(self.authorization().as_deref(), &body).await)
    }

    /// The value of the Authorization header.
    pub fn authorization(&self) -> Option<String> {
        self.claims.as_ref().map(|claims| format!("Bearer {}", self.app.mint(claims)))
    }

    /// Asks a document of one operation, without variables.
    pub async fn ask(&self, document: &str) -> Answer {
        self.query(document, json!({})).await
    }

    /// Asks a document of one operation.
    pub async fn query(&self, document: &str, variables: Value) -> Answer {
        self.app
            .post(self.authorization().as_deref(), &json!({ "query": document, "variables": variables }))
            .await
    }

    /// Asks one operation of a document of several.
    pub async fn operation(&self, document: &str, name: &str, variables: Value) -> Answer {
        let body = json!({ "query": document, "operationName": name, "variables": variables });
        self.app.post(self.authorization().as_deref(), &body).await
    }
}

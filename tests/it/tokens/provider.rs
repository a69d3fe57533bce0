//! Tokens by client credentials from an OpenID provider that rotates its keys, goes away and comes back. The database has
//! no part in whether a token is good: one kind is enough.

use chrono::DateTime;
use cites::clock::Clock;
use serde_json::json;
use tests::world::Kind;
use tests::{Answer, Backend, OpenIdProvider, Template, TestApp, block_on};

use super::{claims, gets, good};
use crate::writes::known;

const AUDIENCE: &str = "https://cites.example.fr/graphql";
const OTHER: &str = "https://autre.example.fr/";
const READ: &str = "cde:read";

fn provider() -> OpenIdProvider {
    let clients = [
        ("dashboard", json!({ "roles": ["anct"] })),
        ("portail-69", json!({ "roles": ["prefecture", "offline_access"], "departements": ["69"] })),
        ("sans-role", json!({})),
    ];
    OpenIdProvider::start(&[AUDIENCE, OTHER], &clients)
}

/// A server that trusts the provider, at the time of a token of it.
async fn trusting(provider: &OpenIdProvider) -> TestApp {
    let issuers = provider.trusted();
    let settings = [("CITES_AUTH__AUDIENCE", AUDIENCE), ("CITES_AUTH__ISSUERS", issuers.as_str())];
    let app = TestApp::start_with(Backend::Sqlite, Template::Small, &settings).await;
    let token = provider.token("dashboard", AUDIENCE, READ).await;
    let issued = claims(&token)["iat"].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    app.clock.set(issued.expect("an instant"));
    app
}

async fn ask(app: &TestApp, token: &str, document: &str) -> Answer {
    app.post(Some(token), &json!({ "query": document })).await
}

fn refused() -> (u16, String) {
    (401, "TOKEN_INVALID".to_owned())
}

#[test]
fn a_token_by_client_credentials_gives_the_rights_of_its_claims() {
    block_on(async || {
        let provider = provider();
        let app = trusting(&provider).await;
        let writer = provider.token("dashboard", AUDIENCE, "cde:read cde:write").await;
        let id = known(Kind::Site, 1);
        let write = format!(
            "mutation {{ updateSite(input: {{ id: \"{id}\", name: \"Par jeton\" }}) {{ site {{ name }} userErrors {{ code }} }} }}"
        );
        // the same client, without the scope
        let answer = ask(&app, &provider.token("dashboard", AUDIENCE, READ).await, &write).await;
        assert_eq!(answer.column("/updateSite/userErrors", "code"), ["FORBIDDEN"]);
        assert_eq!(ask(&app, &writer, &write).await.data("/updateSite/site/name"), "Par jeton");
        let who = "{ viewer { role departements sites { totalCount } } }";
        let all = ask(&app, &writer, who).await;
        let own = ask(&app, &provider.token("portail-69", AUDIENCE, READ).await, who).await;
        assert_eq!(
            (all.data("/viewer/role"), own.data("/viewer/role")),
            (&json!("anct"), &json!("prefecture"))
        );
        assert_eq!(own.data("/viewer/departements"), &json!(["69"]));
        assert!(
            own.number("/viewer/sites/totalCount") < all.number("/viewer/sites/totalCount"),
            "{own} {all}"
        );
        for (client, audience) in [("dashboard", OTHER), ("sans-role", AUDIENCE)] {
            let token = provider.token(client, audience, READ).await;
            assert_eq!(gets(&app, &token).await, refused(), "{client} {audience}");
        }
        app.clock.advance(3_600 + 60);
        assert_eq!(gets(&app, &writer).await, (401, "TOKEN_EXPIRED".to_owned()));
        app.stop().await;
    });
}

#[test]
fn keys_rotate_without_a_restart() {
    block_on(async || {
        let mut provider = provider();
        let app = trusting(&provider).await;
        let old = provider.token("dashboard", AUDIENCE, READ).await;
        assert_eq!(gets(&app, &old).await, good());
        app.clock.advance(60);
        provider.tell("rotate");
        let new = provider.token("dashboard", AUDIENCE, READ).await;
        assert_eq!(gets(&app, &new).await, good(), "the first token of an unknown key has the keys fetched");
        assert_eq!(gets(&app, &old).await, good(), "both keys are published");
        provider.tell("retire");
        assert_eq!(gets(&app, &old).await, good(), "nobody has asked for the keys since");
        app.auth.refresh_keys().await;
        assert_eq!(gets(&app, &old).await, refused(), "a key that was taken out");
        assert_eq!(gets(&app, &new).await, good());
        app.stop().await;
    });
}

#[test]
fn a_provider_that_is_away_stops_no_known_key() {
    block_on(async || {
        let mut provider = provider();
        let app = trusting(&provider).await;
        let known = provider.token("dashboard", AUDIENCE, READ).await;
        assert_eq!(gets(&app, &known).await, good());
        provider.tell("rotate");
        let unknown = provider.token("dashboard", AUDIENCE, READ).await;
        provider.tell("stop");
        app.clock.advance(60);
        app.auth.refresh_keys().await;
        assert_eq!(gets(&app, &known).await, good());
        let unavailable = (503, "UNAVAILABLE".to_owned());
        assert_eq!(gets(&app, &unknown).await, unavailable, "its key may be a new one");
        app.clock.advance(60);
        assert_eq!(gets(&app, &unknown).await, unavailable);
        provider.tell("start");
        assert_eq!(gets(&app, &unknown).await, unavailable, "asked a moment ago");
        app.clock.advance(60);
        assert_eq!(gets(&app, &unknown).await, good());
        assert_eq!(gets(&app, &known).await, good());
        let now = app.clock.now();
        app.stop().await;
        // one that starts while the provider is away answers the public, and knows no token
        provider.tell("stop");
        let late = {
            let issuers = provider.trusted();
            let settings = [("CITES_AUTH__AUDIENCE", AUDIENCE), ("CITES_AUTH__ISSUERS", issuers.as_str())];
            TestApp::start_with(Backend::Sqlite, Template::Small, &settings).await
        };
        late.clock.set(now);
        assert_eq!(gets(&late, &known).await, unavailable);
        late.public().ask("{ viewer { role } }").await.data("/viewer/role");
        provider.tell("start");
        late.clock.advance(60);
        assert_eq!(gets(&late, &known).await, good());
        late.stop().await;
    });
}

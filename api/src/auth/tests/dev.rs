use std::{fs, path::Path, sync::Arc, time::Duration};

use super::support::now;
use crate::{
    auth::{
        self, AuthError, AuthSetupError, Role, Scope,
        dev::{DevClaims, DevIssuer, is_accepted, key_path},
    },
    clock::FixedClock,
    config::{Config, Overrides},
};

fn config(directory: &Path, set: &[&str]) -> Config {
    let url = format!("database.url=sqlite://{}", directory.join("cites.db").display());
    let set = set.iter().copied().chain([url.as_str()]).map(str::to_owned).collect();
    Config::from_sources(directory, [], &Overrides { set, ..Overrides::default() }).unwrap()
}

fn claims() -> DevClaims {
    DevClaims {
        role: Role::PartnerSystem,
        sub: "dev".to_owned(),
        client_id: "dev-client".to_owned(),
        departements: vec!["69".to_owned()],
        sirens: vec!["200046977".to_owned()],
        source: Some("FRANCE_TRAVAIL".to_owned()),
        scopes: vec![Scope::Read, Scope::Import],
        ttl: Duration::from_mins(1),
    }
}

#[tokio::test]
async fn the_local_server_accepts_a_development_token_until_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), &[]);
    let clock = Arc::new(FixedClock::new(now()));
    let authenticator = auth::from_config(&config, clock.clone()).unwrap();
    let issuer = DevIssuer::open(&key_path(&config.database), &config.auth.audience).unwrap();
    let header = format!("Bearer {}", issuer.mint(&claims(), now()).unwrap());
    let actor = authenticator.authenticate(Some(&header)).await.unwrap();
    assert_eq!((actor.role, actor.client_id.as_deref()), (Role::PartnerSystem, Some("dev-client")));
    assert_eq!((actor.departements, actor.sirens), (claims().departements, claims().sirens));
    assert_eq!((actor.source, actor.scopes), (claims().source, claims().scopes));
    clock.advance(60 + 30);
    assert_eq!(authenticator.authenticate(Some(&header)).await, Err(AuthError::Expired));
}

#[tokio::test]
async fn it_is_refused_on_an_open_address_or_beside_another_issuer() {
    let directory = tempfile::tempdir().unwrap();
    let local = config(directory.path(), &[]);
    let issuer = DevIssuer::open(&key_path(&local.database), &local.auth.audience).unwrap();
    let header = format!("Bearer {}", issuer.mint(&claims(), now()).unwrap());
    let other =
        r#"auth.issuers=[{ issuer = "https://sso.example.fr", jwks_url = "https://sso.example.fr/certs" }]"#;
    for set in ["server.listen=0.0.0.0:8080", "server.listen=[::]:8080", "server.listen=192.0.2.1:80", other]
    {
        let config = config(directory.path(), &[set]);
        assert!(!is_accepted(&config), "{set}");
        let authenticator = auth::from_config(&config, Arc::new(FixedClock::new(now()))).unwrap();
        let error = authenticator.authenticate(Some(&header)).await.unwrap_err();
        assert_eq!(error, AuthError::Invalid("its issuer is not accepted here"), "{set}");
    }
    assert!(is_accepted(&config(directory.path(), &["server.listen=[::1]:8080"])));
}

#[cfg(unix)]
#[test]
fn the_key_is_made_once_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = key_path(&config(directory.path(), &[]).database);
    assert_eq!(path, directory.path().join("cites.db.dev-key.pem"));
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || DevIssuer::open(&path, "cites-api").map(|_| ()))
        })
        .collect();
    assert!(makers.into_iter().all(|maker| maker.join().unwrap().is_ok()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = fs::read(&path).unwrap();
    DevIssuer::open(&path, "cites-api").unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = DevIssuer::open(&path, "cites-api").map(|_| ()).unwrap_err();
    assert!(
        matches!(error, AuthSetupError::KeyFile { .. }) && error.to_string().contains("chmod 600"),
        "{error}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "not a key").unwrap();
    assert!(DevIssuer::open(&path, "cites-api").is_err());
}

#[test]
fn on_postgresql_the_key_is_in_the_working_directory() {
    let config = config(Path::new("x"), &["database.url=postgres://h/b"]);
    assert!(config.database.is_sqlite(), "the last flag wins");
    let flags = Overrides { database_url: Some("postgres://h/b".to_owned()), ..Overrides::default() };
    let config = Config::from_sources(Path::new("/nonexistent"), [], &flags).unwrap();
    assert_eq!(key_path(&config.database), Path::new("cites-dev-key.pem"));
}

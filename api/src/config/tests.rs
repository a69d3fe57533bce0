use std::{fs, path::Path};

use super::{
    Config, ConfigError, KeyLocation, LogFormat, Overrides, Place, Secret, SigningAlgorithm, Switch,
};

/// Reads settings from the text of a `cites.toml`, variables and `--set` flags.
fn read(file: &str, variables: &[(&str, &str)], set: &[&str]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("cites.toml"), file).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags = Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
    Config::from_sources(directory.path(), variables, &flags)
}

fn defaults() -> Config {
    Config::from_sources(Path::new("/nonexistent"), [], &Overrides::default()).unwrap()
}

#[test]
fn the_defaults_are_complete_and_documented() {
    let config = defaults();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.url, Secret::new("sqlite://cites.db".to_owned()));
    assert_eq!(config.data.demo, Switch::Auto);
    assert!(config.data.ingest_at_start && config.data.demo.or(true) && !config.data.demo.or(false));
    assert_eq!(config.log.format, LogFormat::Text);
    let mut before = "";
    for line in super::DEFAULTS.lines().take_while(|line| !line.starts_with("# In your")) {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || before.starts_with("# "), "a key without a comment: {line}");
        before = line;
    }
}

#[test]
fn each_source_is_over_the_one_before() {
    let file = "[server]\nworkers = 2\n[log]\nlevel = \"warn\"\n[database]\nmax_connections = 3\n";
    let config = read(file, &[], &[]).unwrap();
    assert_eq!((config.server.workers, config.database.max_connections), (2, 3));
    let variables =
        [("CITES_SERVER__WORKERS", "4"), ("CITES_LOG__LEVEL", "debug"), ("CITES_PORT_80_TCP", "x")];
    let config = read(file, &variables, &["server.workers = 6"]).unwrap();
    assert_eq!((config.server.workers, config.log.level.as_str()), (6, "debug"));
    let flags = Overrides {
        listen: Some("[::1]:9000".to_owned()),
        database_url: Some("postgres://h/b".to_owned()),
        set: vec!["server.listen=127.0.0.1:1".to_owned()],
        ..Overrides::default()
    };
    let config = Config::from_sources(Path::new("/nonexistent"), [], &flags).unwrap();
    assert_eq!(
        (config.server.listen.to_string().as_str(), config.database.is_sqlite()),
        ("[::1]:9000", false)
    );
}

#[test]
fn the_collector_is_named_by_the_variable_of_all_or_by_our_own() {
    let of_all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    let config = read("[telemetry]\notlp_endpoint = \"http://file:1\"", &[of_all], &[]).unwrap();
    assert_eq!(config.telemetry.otlp_endpoint, "http://collector:4318");
    let own = ("CITES_TELEMETRY__OTLP_ENDPOINT", "");
    assert_eq!(read("", &[of_all, own], &[]).unwrap().telemetry.otlp_endpoint, "");
    assert!((read("", &[], &["telemetry.trace_ratio=1"]).unwrap().telemetry.trace_ratio - 1.0).abs() < 1e-9);
}

#[test]
fn variables_are_read_by_the_type_of_the_default() {
    let variables = [
        ("CITES_AUTH__AUDIENCE", "12"),
        ("CITES_AUTH__ALGORITHMS", "ES256, EdDSA"),
        ("CITES_AUTH__ACCEPTED_TYP", r#"["at+jwt", "JWT"]"#),
        ("CITES_AUTH__ISSUERS", r#"[{ issuer = "https://a", jwks_file = "keys.json" }]"#),
        ("CITES_DATA__DEMO", "false"),
        ("CITES_DATA__INGEST_AT_START", "false"),
    ];
    let config = read("", &variables, &[]).unwrap();
    assert_eq!(config.auth.audience, "12");
    assert_eq!(config.auth.algorithms, [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa]);
    assert_eq!(config.auth.accepted_typ, ["at+jwt", "JWT"]);
    assert_eq!(config.auth.issuers[0].keys(), Some(KeyLocation::File(Path::new("keys.json"))));
    assert_eq!((config.data.demo, config.data.ingest_at_start), (Switch::Off, false));
    assert_eq!(read("[data]\ndemo = true", &[], &[]).unwrap().data.demo, Switch::On);
}

/// Each wrong setting: the file, variables, flags, then the key and place named, and words of the message.
#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn a_wrong_setting_names_its_key_its_place_and_what_is_expected() {
    type Variables<'a> = &'a [(&'a str, &'a str)];
    type Case<'a> = (&'a str, Variables<'a>, &'a [&'a str], &'a str, &'a str, &'a str);
    let issuer = |rest: &str| format!("[[auth.issuers]]\nissuer = \"https://a\"\n{rest}");
    let two = format!("{}\n{}", issuer("discovery = true"), issuer("discovery = true"));
    let one_place = "exactly one of jwks_file, jwks_url and discovery";
    let cases: &[Case] = &[
        (
            "[server]\n\nlisen = 1",
            &[],
            &[],
            "server.lisen",
            "line 3",
            "unknown key, expected one of `listen`, `workers`",
        ),
        (
            "[sever]\nlisten = 1",
            &[],
            &[],
            "sever",
            "line 1",
            "unknown key, expected one of `server`, `live`, `database`",
        ),
        ("server = 1", &[], &[], "server", "line 1", "expected a table"),
        ("[server]\nworkers = \"two\"", &[], &[], "server.workers", "line 2", "expected a whole number"),
        ("[server]\nworkers = -1", &[], &[], "server.workers", "line 2", "expected a whole number"),
        ("[server]\nworkers = 2000", &[], &[], "server.workers", "line 2", "a number from 0 to 1024"),
        (
            "[live]\nstall_timeout_ms = 0",
            &[],
            &[],
            "live.stall_timeout_ms",
            "line 2",
            "a number from 1 to 600000",
        ),
        (
            "[database]\nreplica_url = \"postgres://h/b\"",
            &[],
            &[],
            "database.replica_url",
            "line 2",
            "of a standby of the server of database.url",
        ),
        (
            "[database]\nurl = \"postgres://h/b\"\nreplica_url = \"sqlite://b.db\"",
            &[],
            &[],
            "database.replica_url",
            "line 3",
            "or nothing",
        ),
        (
            "[database]\nreplica_max_lag_ms = 499",
            &[],
            &[],
            "database.replica_max_lag_ms",
            "line 2",
            "a number from 500 to 600000",
        ),
        ("[server]\nlisten = 8080", &[], &[], "server.listen", "line 2", "expected"),
        ("[server]\nlisten = \"localhost\"", &[], &[], "server.listen", "line 2", "socket address"),
        ("[server]\nmetrics_listen = \"9090\"", &[], &[], "server.metrics_listen", "line 2", "or nothing"),
        (
            "[telemetry]\notlp_endpoint = \"collector:4318\"",
            &[],
            &[],
            "telemetry.otlp_endpoint",
            "line 2",
            "or nothing",
        ),
        ("[telemetry]\ntrace_ratio = 2.0", &[], &[], "telemetry.trace_ratio", "line 2", "from 0 to 1"),
        ("[limits]\nshared = true", &[], &[], "limits.shared", "line 2", "a database.url of PostgreSQL"),
        ("[data]\ndemo = 1", &[], &[], "data.demo", "line 2", "expected true, false or \"auto\""),
        ("[data]\ndemo = \"yes\"", &[], &[], "data.demo", "line 2", "expected true, false or \"auto\""),
        ("[auth]\nleeway_seconds = 61", &[], &[], "auth.leeway_seconds", "line 2", "a number from 0 to 60"),
        ("[auth]\nalgorithms = [\n\"HS256\"]", &[], &[], "auth.algorithms[0]", "line 3", "`ES256`"),
        ("[auth]\nalgorithms = []", &[], &[], "auth.algorithms", "line 2", "one or more of ES256"),
        ("[auth]\naccepted_typ = []", &[], &[], "auth.accepted_typ", "line 2", "one or more"),
        ("[auth]\naudience = \" \"", &[], &[], "auth.audience", "line 2", "not empty"),
        ("[auth]\nmax_token_bytes = 99999", &[], &[], "auth.max_token_bytes", "line 2", "256 to 16384"),
        (&issuer(""), &[], &[], "auth.issuers[0]", "line 1", one_place),
        (
            &issuer("jwks_url = \"https://a\"\ndiscovery = true"),
            &[],
            &[],
            "auth.issuers[0]",
            "line 1",
            one_place,
        ),
        (
            &issuer("jwks_url = \"http://a\""),
            &[],
            &[],
            "auth.issuers[0].jwks_url",
            "line 3",
            "an https address",
        ),
        (&issuer("keys = 1"), &[], &[], "auth.issuers[0].keys", "line 3", "unknown key"),
        (
            &issuer("[auth.issuers.claims]\nrole = []"),
            &[],
            &[],
            "auth.issuers[0].claims.role",
            "line 4",
            "`roles`",
        ),
        (&two, &[], &[], "auth.issuers[1].issuer", "line 5", "not named before"),
        ("[log]\nformat = \"xml\"", &[], &[], "log.format", "line 2", "expected one of `text` or `json`"),
        ("[log]\nlevel = \"cites=loud\"", &[], &[], "log.level", "line 2", "error, warn, info"),
        ("", &[("CITES_LOG__LEVL", "x")], &[], "log.levl", "variable CITES_LOG__LEVL", "`level` or `format`"),
        ("", &[("CITES_X__Y", "x")], &[], "x", "variable CITES_X__Y", "unknown key"),
        (
            "",
            &[("CITES_SERVER__WORKERS", "two")],
            &[],
            "server.workers",
            "CITES_SERVER__WORKERS",
            "expected a whole number",
        ),
        ("", &[("CITES_WORKERS", "2")], &[], "", "variable CITES_WORKERS", "expected CITES_SECTION__KEY"),
        ("", &[("CITES_A__B__C", "2")], &[], "", "variable CITES_A__B__C", "expected CITES_SECTION__KEY"),
        ("", &[], &["log.level"], "", "flag --set", "expected section.key=value"),
        ("", &[], &["level=x"], "", "flag --set", "expected section.key=value"),
        ("", &[], &["data.demo=perhaps"], "data.demo", "flag --set", "expected true, false"),
        ("[log\n", &[], &[], "", "line 1", "not valid TOML"),
        ("[log]\nlevel = \"a\"\nlevel = \"b\"", &[], &[], "", "line 3", "not valid TOML: duplicate key"),
    ];
    let mut unlike = Vec::new();
    for (file, variables, set, key, place, problem) in cases {
        let error = read(file, variables, set).expect_err(file);
        let text = error.to_string();
        let is_key = error.key.as_deref().unwrap_or_default() == *key && text.contains(key);
        if !is_key || !text.contains(place) || !text.contains(problem) {
            unlike.push(format!("{text}\n  for {file:?} {variables:?} {set:?}, expected {problem}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[test]
fn a_later_source_takes_the_place_over() {
    let file = "[server]\nworkers = 3000";
    let error = read(file, &[("CITES_SERVER__WORKERS", "4000")], &[]).unwrap_err();
    assert_eq!(error.place, Place::Variable("CITES_SERVER__WORKERS".to_owned()));
    assert!(read(file, &[("CITES_SERVER__WORKERS", "4")], &[]).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let named = directory.path().join("missing.toml");
    let flags = Overrides { config: Some(named), ..Overrides::default() };
    let error = Config::from_sources(directory.path(), [], &flags).unwrap_err().to_string();
    assert!(error.contains("missing.toml: does not exist"), "{error}");
    fs::create_dir(directory.path().join("cites.toml")).unwrap();
    let error = Config::from_sources(directory.path(), [], &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("cites.toml: cannot be read"), "{error}");
    let binary = directory.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe]).unwrap();
    let flags = Overrides { config: Some(binary), ..Overrides::default() };
    assert!(Config::from_sources(directory.path(), [], &flags).is_err());
}

#[test]
fn the_database_password_is_never_printed() {
    let url = "postgres://cites:hunter2@db/cites";
    let config = read("", &[("CITES_DATABASE__URL", url)], &[]).unwrap();
    assert_eq!(config.database.url.expose(), url);
    assert!(!format!("{config:?} {}", config.database.url).contains("hunter2"));
    let wrong: &[(&str, &[(&str, &str)])] = &[
        ("database = \"postgres://cites:hunter2@db\"", &[]),
        ("[database]\nurl = [\"postgres://cites:hunter2@db\"]", &[]),
        ("[database]\nurl = \"postgres://cites:hunter2@db\" oops", &[]),
        ("[database]\nurl = \"mysql://cites:hunter2@db\"", &[]),
        ("[database]\nmax_connections = \"postgres://cites:hunter2@db\"", &[]),
        ("", &[("CITES_DATABASE__URL", "cites:hunter2@db")]),
        ("", &[("CITES_DATABASE__MAX_CONNECTIONS", "hunter2")]),
    ];
    for (file, variables) in wrong {
        let error = read(file, variables, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn the_sqlite_file_is_found_in_its_url() {
    let file = |url: &str| {
        let config = read("", &[("CITES_DATABASE__URL", url)], &[]).unwrap();
        config.database.sqlite_file().map(|file| file.display().to_string())
    };
    assert_eq!(file("sqlite://cites.db").as_deref(), Some("cites.db"));
    assert_eq!(file("sqlite:///srv/cites.db?mode=rwc").as_deref(), Some("/srv/cites.db"));
    assert_eq!(file("sqlite::memory:"), None);
    assert_eq!(file("postgres://h/b"), None);
}

#[test]
fn a_wrong_limit_names_its_key_and_what_is_expected() {
    for (file, key, expected) in [
        ("[server]\ntrusted_proxies = [\n\"proxy\"]", "server.trusted_proxies[0]", "IP address"),
        ("[server]\ncors_origins = [\"https://a.fr/\"]", "server.cors_origins[0]", "an origin"),
        ("[documents]\nonly_trusted_for = [\"all\"]", "documents.only_trusted_for[0]", "public"),
        ("[documents]\nonly_trusted_for = [\"public\"]", "documents.only_trusted_for", "manifest"),
        ("[limits]\npublic = { bukket = 1 }", "limits.public.bukket", "`operation`"),
        ("[limits]\npublic = { bucket = 9 }", "limits.public", "holds one operation"),
        ("[limits]\npublic = { depth = 51 }", "limits.public.depth", "from 1 to 50"),
    ] {
        let error = read(file, &[], &[]).unwrap_err().to_string();
        assert!(error.contains(key) && error.contains(expected), "{error}");
    }
}

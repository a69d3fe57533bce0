use std::{cell::RefCell, time::Duration};

use chrono::DateTime;
use clap::{Args, CommandFactory, Parser};

use super::{
    Cli, Command, UsageError, doctor, errors, exit_code, ingest, migrate, retention, rights, schema, seed,
    serve,
    token::{self, DevGrant, GrantedSites, TokenArgs},
};
use crate::{auth::Scope, clock::FixedClock, config::Config};

fn token_args(flags: &str) -> Result<TokenArgs, clap::Error> {
    let cli = Cli::try_parse_from(["cites", "token"].into_iter().chain(flags.split_whitespace()))?;
    match cli.command {
        Some(Command::Token(args)) => Ok(args),
        _ => panic!("not the token command"),
    }
}

fn config(directory: &std::path::Path, set: &[&str]) -> Config {
    let url = format!("sqlite://{}", directory.join("cites.db").display());
    let variables = [("CITES_DATABASE__URL".to_owned(), url)];
    let flags =
        crate::config::Overrides { set: set.iter().map(ToString::to_string).collect(), ..Default::default() };
    Config::from_sources(directory, variables, &flags).unwrap()
}

/// Runs `cites token` and returns the grant it asked to record.
async fn run(flags: &str, set: &[&str]) -> anyhow::Result<Option<DevGrant>> {
    let directory = tempfile::tempdir()?;
    let recorded = RefCell::new(None);
    let record = async |_: &Config, grant: DevGrant| {
        recorded.replace(Some(grant));
        Ok(())
    };
    let clock = FixedClock::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
    let config = config(directory.path(), set);
    token::run(&token_args(flags)?, &config, &clock, record).await?;
    Ok(recorded.into_inner())
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_help_of_every_command_ends_with_an_example() {
    let commands = [
        serve::ServeArgs::augment_args,
        migrate::MigrateArgs::augment_args,
        ingest::IngestArgs::augment_args,
        schema::SchemaArgs::augment_args,
        rights::RightsArgs::augment_args,
        errors::ErrorsArgs::augment_args,
        retention::RetentionArgs::augment_args,
        seed::SeedArgs::augment_args,
        doctor::DoctorArgs::augment_args,
        TokenArgs::augment_args,
    ];
    for augment in commands {
        let help = augment(clap::Command::new("x")).render_long_help().to_string();
        assert!(help.contains("Example") && help.contains("cites "), "{help}");
    }
}

#[test]
fn flags_of_codes_are_canonical_or_refused() {
    let args = token_args("--role prefecture --departements 2a,974 69").unwrap();
    assert_eq!(args.departements, ["2A", "974", "69"]);
    assert_eq!(args.ttl, Duration::from_hours(12));
    let args = token_args("--role anct --scopes read cde:admin --ttl 90s").unwrap();
    assert_eq!((args.scopes, args.ttl), (vec![Scope::Read, Scope::Admin], Duration::from_secs(90)));
    for flags in [
        "",
        "--role public",
        "--role boss",
        "--role prefecture --departements 20",
        "--role collectivite --sirens 200034582",
        "--role partner_system --source france_travail --sites all",
        "--role partner_system --source FRANCE_TRAVAIL --sites cde-24",
        "--role anct --scopes openid",
        "--role anct --ttl 31d",
        "--role anct --ttl 0h",
        "--role anct --ttl h",
        "--role anct --ttl 99999999999999999999d",
        "--role anct --ttl 1é",
    ] {
        assert!(token_args(flags).is_err(), "{flags}");
    }
}

#[tokio::test]
async fn a_role_needs_its_own_flags_and_no_others() {
    for flags in [
        "--role prefecture",
        "--role collectivite",
        "--role partner_system --sites all",
        "--role partner_system --source FRANCE_TRAVAIL",
        "--role partner_system --source FRANCE_TRAVAIL --sites all,cde-024",
        "--role anct --departements 69",
        "--role anct --sites all",
        "--role prefecture --departements 69 --sirens 200046977",
    ] {
        let error = run(flags, &[]).await.unwrap_err();
        assert!(error.is::<UsageError>(), "{flags}: {error}");
        assert_eq!(exit_code(&error), 2);
    }
}

#[tokio::test]
async fn only_a_partner_system_gets_a_grant() {
    assert_eq!(run("--role anct", &[]).await.unwrap(), None);
    let flags = "--role partner_system --source FRANCE_TRAVAIL --sites CDE-026,cde-024,cde-024";
    let grant = run(flags, &[]).await.unwrap().unwrap();
    assert_eq!((grant.client_id.as_str(), grant.source.as_str()), ("dev-france-travail", "FRANCE_TRAVAIL"));
    assert_eq!(grant.sites, GrantedSites::Codes(vec!["cde-024".to_owned(), "cde-026".to_owned()]));
    let flags = "--role partner_system --source FRANCE_TRAVAIL --sites all --client-id ft";
    let grant = run(flags, &[]).await.unwrap().unwrap();
    assert_eq!((grant.client_id.as_str(), grant.sites), ("ft", GrantedSites::All));
}

#[tokio::test]
async fn no_token_is_made_that_the_server_would_refuse() {
    let issuer = r#"auth.issuers=[{ issuer = "https://sso.example.fr", discovery = true }]"#;
    for set in ["server.listen=0.0.0.0:8080", issuer] {
        let error = run("--role anct", &[set]).await.unwrap_err();
        assert_eq!(exit_code(&error), 2, "{error}");
    }
}

#[tokio::test]
async fn a_grant_that_cannot_be_recorded_gives_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let clock = FixedClock::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
    let args = token_args("--role partner_system --source FRANCE_TRAVAIL --sites all").unwrap();
    let refuse = async |_: &Config, _: DevGrant| anyhow::bail!("no database");
    let error = token::run(&args, &config(directory.path(), &[]), &clock, refuse).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), exit_code(&error)), ("no database", 1));
}

//! Bundles the explorer of `web/` into the binary, when Node.js and its packages can be had.
//!
//! Without them the binary is built all the same, and `/graphiql` says how to get the explorer. `BUILD_GRAPHIQL=off`
//! leaves it out; with `BUILD_GRAPHIQL=on` its failure is the build's, as it should be for what is released.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the bundle is made of; all else in `web/` comes from npm.
const SOURCES: [&str; 5] = ["package.json", "package-lock.json", ".npmrc", "build.mjs", "src"];
/// The documents offered as examples.
const EXAMPLES: &str = "tests/it/contract";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-env-changed=BUILD_GRAPHIQL");
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", root.join("web").join(source).display());
    }
    println!("cargo:rerun-if-changed={}", root.join(EXAMPLES).display());

    let (work, bundle) = (out.join("web"), out.join("explorer"));
    let _ = fs::remove_dir_all(&bundle);
    let wanted = env::var("BUILD_GRAPHIQL").unwrap_or_default();
    if wanted != "off"
        && let Err(error) = make(&root, &work, &bundle)
    {
        if wanted == "on" {
            return Err(error);
        }
        println!("cargo:warning=the explorer of the API is left out: {error}");
        let _ = fs::remove_dir_all(&bundle);
    }
    let _ = fs::remove_dir_all(&work);
    fs::write(out.join("explorer.rs"), list(&bundle)?)?;
    Ok(())
}

/// Makes the bundle in a copy, so that the sources stay as they are.
fn make(root: &Path, work: &Path, bundle: &Path) -> Outcome<()> {
    let _ = fs::remove_dir_all(work);
    for source in SOURCES {
        copy(&root.join("web").join(source), &work.join(source))?;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    // out of reach of the registry, a build should not wait for minutes
    run(Command::new("npm").args(npm).arg("--fetch-retries=1").current_dir(work))?;
    run(Command::new("node").arg("build.mjs").arg(root.join(EXAMPLES)).arg(bundle).current_dir(work))
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to)?;
    Ok(())
}

fn run(command: &mut Command) -> Outcome<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name} cannot be run ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).lines().take(6).collect::<Vec<_>>().join(" | ");
    Err(format!("{name} failed: {text}").into())
}

/// The files as a Rust expression: the name and the compressed text of each.
fn list(bundle: &Path) -> Outcome<String> {
    let mut paths = match fs::read_dir(bundle) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?,
        Err(_) => Vec::new(),
    };
    paths.sort();
    let mut text = "&[".to_owned();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        write!(text, "({name:?}, include_bytes!({:?}) as &[u8]),", path.display().to_string())?;
    }
    Ok(text + "]")
}

//! The binary as a process of its own, which a test can kill.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::TestDatabase;

/// Where a server's log is kept, in its folder.
const LOG: &str = "server.log";

/// The binary on a database; at most one server of it runs at a time.
#[derive(Debug)]
pub struct Process {
    binary: PathBuf,
    url: String,
    home: PathBuf,
    variables: Vec<(&'static str, String)>,
    /// The server and what it prints: it would fall over if nobody read that.
    server: Option<(Child, BufReader<ChildStdout>)>,
}

impl Process {
    /// The binary at a path, which works in a folder.
    pub fn of(binary: &str, database: &TestDatabase, home: &Path) -> Self {
        Self::at(binary, database.url(), home)
    }

    /// The same on a database by its URL.
    pub fn at(binary: &str, url: &str, home: &Path) -> Self {
        let (binary, url, home) = (binary.into(), url.to_owned(), home.to_owned());
        Self { binary, url, home, variables: Vec::new(), server: None }
    }

    /// The same with a setting of its own.
    #[must_use]
    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.home)
            .env("CITES_DATABASE__URL", &self.url)
            .env("CITES_DATABASE__MAX_CONNECTIONS", "8")
            .env("CITES_DATA__INGEST_AT_START", "false")
            .env("CITES_SERVER__LISTEN", "127.0.0.1:0")
            .env("CITES_SERVER__WORKERS", "1")
            .env("CITES_LOG__LEVEL", "debug")
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// The server's log goes on from one start to the next.
    fn log_file(&self) -> std::fs::File {
        let file = std::fs::File::options().create(true).append(true).open(self.home.join(LOG));
        file.expect("a log file")
    }

    /// What its servers have logged so far, in all detail.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join(LOG)).unwrap_or_default()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Starts the server and waits until it listens; gives the address of GraphQL.
    pub fn serve(&mut self) -> String {
        let mut child = self
            .command(&["serve"])
            .stdout(Stdio::piped())
            .stderr(self.log_file())
            .spawn()
            .expect("the server starts");
        let output = child.stdout.take().expect("its output");
        let mut line = String::new();
        let mut output = BufReader::new(output);
        output.read_line(&mut line).expect("it says where it listens");
        self.server = Some((child, output));
        line.split_whitespace().last().expect("an address").to_owned()
    }

    /// No file of the server may grow beyond so many bytes from now on, as on a disk that is full; none lifts that. The
    /// server must not heed the signal that comes with it (see [`Process::deaf_to_limits`]).
    pub fn limit_files(&self, bytes: Option<u64>) {
        let (child, _) = self.server.as_ref().expect("a server runs");
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let (pid, limit) = (child.id().to_string(), format!("--fsize={limit}:unlimited"));
        let limited = Command::new("prlimit").args(["--pid", &pid, &limit]).status().expect("it is limited");
        assert!(limited.success(), "{limited}");
    }

    /// Most memory that the server has held since it started, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let (child, _) = self.server.as_ref().expect("a server runs");
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("its state");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    }

    /// The same binary, started so that a limit of its files ends a write and not the process.
    #[must_use]
    pub fn deaf_to_limits(mut self) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let script = self.home.join("deaf");
        let text = format!("#!/bin/sh\ntrap '' XFSZ\nexec '{}' \"$@\"\n", self.binary.display());
        std::fs::write(&script, text).expect("a script");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("it may run");
        self.binary = script;
        self
    }

    /// Tells the server to stop (SIGTERM) and waits until it has; gives its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let (mut child, _output) = self.server.take().expect("a server runs");
        let told =
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("it is told");
        assert!(told.success(), "{told}");
        child.wait().expect("it ends").code()
    }

    /// Kills the server where it stands (SIGKILL).
    pub fn kill(&mut self) {
        if let Some((mut child, _output)) = self.server.take() {
            child.kill().expect("the server is killed");
            child.wait().expect("it is gone");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The national team, at a server that is a process.
#[derive(Debug)]
pub struct Caller {
    http: reqwest::Client,
    token: String,
}

impl Caller {
    /// With a token of the process's own issuer.
    pub fn of(process: &Process) -> Self {
        let token = process.run(&["token", "--role", "anct"]);
        let token = String::from_utf8(token.stdout).expect("a token").trim().to_owned();
        Self { http: reqwest::Client::new(), token }
    }

    /// Sends a document with one variable, `input`; the answer.
    pub async fn ask(&self, address: &str, document: &str, input: Value) -> Value {
        let body = json!({ "query": document, "variables": { "input": input } }).to_string();
        let request =
            self.http.post(address).bearer_auth(&self.token).header("content-type", "application/json");
        let answer = request.body(body).send().await.expect("an answer").text().await.expect("a text");
        serde_json::from_str(&answer).expect("JSON")
    }
}

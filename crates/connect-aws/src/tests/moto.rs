//! A moto server with an estate in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Serves until its standard input ends, which it does with the process that started it, however
/// that ends.
///
/// What moto checks a signature against takes the query of a GET for its body as well, but for S3:
/// no caller's signature is good then. AWS does not.
const SERVE: &str = r#"
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.iam.access_control import IAMRequest
made = IAMRequest._create_aws_request
def as_sent(self):
    if self._method == "GET":
        self._data = {}
    return made(self)
IAMRequest._create_aws_request = as_sent
from moto.server import main
main(["-H", "127.0.0.1", "-p", "0"])
"#;

pub(super) struct Moto {
    pub(super) endpoint: String,
    /// What the estate calls its parts.
    pub(super) made: Value,
    server: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        if let Err(error) = self.server.wait() {
            println!("moto cannot be waited for: {error}");
        }
    }
}

impl Moto {
    /// The part of this name, a text.
    pub(super) fn made(&self, name: &str) -> String {
        self.made[name].as_str().unwrap_or_else(|| panic!("no {name} was made")).to_owned()
    }

    /// The keys of a caller.
    pub(super) fn keys(&self, name: &str) -> crate::Credentials {
        let keys = &self.made[name];
        super::credentials(keys[0].as_str().unwrap(), keys[1].as_str().unwrap())
    }
}

/// The server; nothing where this machine has no Python that can run it, but where every test must
/// be run that is a failure.
pub(super) async fn moto() -> Option<Moto> {
    match tokio::task::spawn_blocking(start).await.unwrap() {
        Ok(moto) => Some(moto),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "moto does not run: {why}");
            println!("not run: moto does not run: {why}");
            None
        }
    }
}

/// What a program says that is told `input`.
pub(super) async fn python(program: &'static str, input: &str) -> String {
    let input = input.to_owned();
    let run = move || {
        let mut child = script(&["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/moto"));
    command.args(arguments);
    command
}

fn start() -> Result<Moto, String> {
    let asked = ["CI", "COUNTERSIGN_INSTALLS"].iter().any(|name| std::env::var_os(name).is_some());
    let own = Command::new("python3").args(["-c", "import boto3, flask, moto.server"]).output();
    if !asked && !own.is_ok_and(|own| own.status.success()) {
        return Err("set COUNTERSIGN_INSTALLS=1 (it installs moto from PyPI)".to_owned());
    }
    let mut server = script(&["-c", SERVE])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut told = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut before = Vec::new();
    let endpoint = loop {
        let Some(Ok(line)) = told.next() else {
            return Err(before.join("\n"));
        };
        if let Some((_, url)) = line.split_once("Running on ") {
            break url.trim().to_owned();
        }
        before.push(line);
    };
    // What it tells of each request has to go somewhere.
    std::thread::spawn(move || told.for_each(drop));
    let made = script(&["-c", include_str!("estate.py"), &endpoint]).output();
    let made = made.map_err(|error| error.to_string())?;
    // A server that runs can be filled: this is no lack of the machine's.
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = serde_json::from_slice(&made.stdout).expect("the estate says what it made");
    Ok(Moto { endpoint, made, server })
}

//! Which PostgreSQL there is: the configured directory, PATH, then where Debian puts it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::Error;
use crate::role::{MINIMUM_SERVER_VERSION, needed_version};

/// Where Debian and Ubuntu keep each major version, out of PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs the private server needs.
const NEEDED: [&str; 2] = ["postgres", "initdb"];

/// A directory with PostgreSQL's programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Installation {
    /// The directory.
    pub bin_dir: PathBuf,
    /// What it says it is, when it answers.
    pub version: Option<String>,
    /// As `server_version_num`.
    #[serde(skip)]
    pub(super) number: i32,
    /// Why it cannot be used, when it cannot.
    pub unusable: Option<Unusable>,
}

/// Why an installation cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unusable {
    /// A program is not there.
    #[error("{program} is missing")]
    Missing {
        /// Which.
        program: String,
    },
    /// It does not say its version.
    #[error("it does not say its version: {said}")]
    Silent {
        /// What it said instead.
        said: String,
    },
    /// It lacks a security release.
    #[error("{needed} or newer is needed")]
    Old {
        /// What is needed, at least.
        needed: String,
    },
}

impl Installation {
    pub(super) const fn major(&self) -> u32 {
        self.number.unsigned_abs() / 10_000
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }

    fn describe(&self) -> String {
        let fault = self.unusable.as_ref().map_or_else(String::new, |fault| format!(": {fault}"));
        let version = self.version.as_deref().unwrap_or("?");
        format!("{} (version {version}){fault}", self.bin_dir.display())
    }
}

/// Every installation, in the order in which they would be taken.
pub(super) fn find(configured: Option<&Path>, search_path: Option<&OsStr>) -> Vec<Installation> {
    if let Some(bin_dir) = configured {
        // Who names a directory means it: nothing else is looked at.
        return vec![look_at(bin_dir.to_owned())];
    }
    let mut seen = BTreeSet::new();
    let mut found: Vec<Installation> = search_path
        .map(|path| std::env::split_paths(path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|dir| dir.is_absolute() && dir.join("postgres").is_file())
        .chain(of_debian())
        .filter(|dir| seen.insert(dir.canonicalize().unwrap_or_else(|_| dir.clone())))
        .map(look_at)
        .collect();
    // Stable: among equals, PATH comes first.
    found.sort_by_key(|installation| (installation.unusable.is_some(), -installation.number));
    found
}

fn of_debian() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(DEBIAN) else { return Vec::new() };
    let bin_dirs = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    bin_dirs.filter(|dir| dir.join("postgres").is_file()).collect()
}

fn look_at(bin_dir: PathBuf) -> Installation {
    let mut installation = Installation { bin_dir, version: None, number: 0, unusable: None };
    if let Some(program) = NEEDED.into_iter().find(|name| !installation.program(name).is_file()) {
        installation.unusable = Some(Unusable::Missing { program: program.to_owned() });
        return installation;
    }
    let said = match Command::new(installation.program("postgres")).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let Some((version, number)) = parse_version(&said) else {
        installation.unusable = Some(Unusable::Silent { said });
        return installation;
    };
    installation.unusable = needed_version(number).map(|needed| Unusable::Old { needed });
    installation.version = Some(version);
    installation.number = number;
    installation
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`; a release candidate counts as minor 0.
fn parse_version(said: &str) -> Option<(String, i32)> {
    let version = said.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?;
    let digits: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let (major, minor) = digits.split_once('.').unwrap_or((&digits, "0"));
    let (major, minor): (i32, i32) = (major.parse().ok()?, minor.parse().ok()?);
    Some((version.to_owned(), major.checked_mul(10_000)?.checked_add(minor)?))
}

/// The one to run: of the cluster's major version, or the newest for a new cluster.
pub(super) fn choose(
    found: &[Installation],
    cluster_version: Option<u32>,
) -> Result<&Installation, Error> {
    let suits = |installation: &&Installation| {
        installation.unusable.is_none()
            && cluster_version.is_none_or(|major| installation.major() == major)
    };
    found.iter().find(suits).ok_or_else(|| no_server(found, cluster_version))
}

fn no_server(found: &[Installation], cluster_version: Option<u32>) -> Error {
    let minimum =
        format!("{}.{}", MINIMUM_SERVER_VERSION / 10_000, MINIMUM_SERVER_VERSION % 10_000);
    let remedy = match cluster_version {
        None => format!(
            "install PostgreSQL {minimum} or newer (apt-get install -y postgresql), \
             or set DATABASE_URL"
        ),
        Some(major) => format!(
            "this data directory was made by PostgreSQL {major}: install that major version \
             (apt-get install -y postgresql-{major})"
        ),
    };
    let tried: Vec<String> = found.iter().map(Installation::describe).collect();
    let tried =
        if tried.is_empty() { format!("none in PATH or {DEBIAN}/*/bin") } else { tried.join("; ") };
    Error::NoServer { tried, remedy }
}

#[cfg(test)]
mod tests;

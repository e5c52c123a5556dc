//! `countersign doctor`: what this machine has and lacks, and what to do about it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use db::migrate::{REVOKE_SET_CONFIG, SetConfig};
use serde::Serialize;
use serde_json::json;

use super::fault::chain;
use super::{Context, End, view};
use crate::config::Place;
use crate::output::{self, Format};
use crate::wiring;

/// What to check.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Where state is.
    #[command(flatten)]
    place: Place,

    /// Where `serve` would listen
    #[arg(
        long,
        env = "COUNTERSIGN_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,

    /// List who may do what, instead
    #[arg(long)]
    permissions: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    /// Only something beside the service is missing.
    Remark,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    health: Health,
    found: String,
    /// What to do, when something is to be done.
    hint: Option<String>,
}

impl Check {
    fn new(what: &'static str, health: Health, found: impl Into<String>) -> Self {
        Self { what, health, found: found.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl Doctor {
    /// Looks at everything a start would use, and changes nothing.
    ///
    /// # Errors
    /// When the answer cannot be written.
    pub async fn run(self, context: &Context) -> Result<End> {
        if self.permissions {
            return permissions(context);
        }
        let mut checks = Vec::new();
        let private = match &self.place.database_url {
            Some(_) => {
                checks.extend(external(&self.place).await);
                None
            }
            None => {
                let mut options = db::private::Options::new(&self.place.data_dir);
                options.bin_dir.clone_from(&self.place.pg_bin_dir);
                options.search_path = std::env::var_os("PATH");
                let report = db::private::examine(&options);
                checks.extend(postgres(&report));
                Some(report)
            }
        };
        checks.push(data_dir(&self.place.data_dir));
        checks.push(keys(&self.place.data_dir));
        let answers = context.client_of_nobody()?.ready().await;
        checks.push(port(self.listen, answers.is_ok()));
        checks.push(service(&context.client_of_nobody()?.address(), &answers));
        checks.push(sshd());
        let well = checks.iter().all(|check| check.health != Health::Bad);
        match context.format {
            Format::Json => {
                output::json(&json!({ "ok": well, "checks": checks, "postgresql": private }))?;
            }
            Format::Human => output::result(&told(&checks)),
        }
        Ok(End::when(well))
    }
}

async fn external(place: &Place) -> Vec<Check> {
    const WHAT: &str = "database";
    match wiring::reach_to_read(place).await {
        Ok((db, _)) => {
            let found = "DATABASE_URL leads to a database that can be served on";
            let ahead = server::clock::ahead(&db, &wiring::SystemClock).await;
            let set_config = db.set_config().await;
            db.close().await;
            let mut checks = vec![Check::new(WHAT, Health::Good, found)];
            checks.extend(set_config.ok().map(settings));
            checks.extend(ahead.ok().map(clock));
            checks
        }
        Err(error) => vec![
            Check::new(WHAT, Health::Bad, chain(&error))
                .hint("`countersign db roles` and `countersign db migrate` prepare it"),
        ],
    }
}

/// Whether an expression may change settings, the tenant among them.
fn settings(set_config: SetConfig) -> Check {
    const WHAT: &str = "settings";
    match set_config {
        SetConfig::Revoked => Check::new(WHAT, Health::Good, "no expression can change its tenant"),
        SetConfig::Callable | SetConfig::Needed => {
            let found = "set_config may be called: an expression could change its tenant";
            Check::new(WHAT, Health::Remark, found)
                .hint(format!("as a superuser, in this database: {REVOKE_SET_CONFIG}"))
        }
    }
}

/// This machine's clock, so much ahead of the database's.
fn clock(ahead: jiff::SignedDuration) -> Check {
    const WHAT: &str = "clock";
    if ahead.abs() <= server::clock::TOLERANCE {
        return Check::new(WHAT, Health::Good, "this machine's agrees with the database's");
    }
    let described = server::clock::described(ahead);
    let found = format!("this machine's is {described} the database's");
    Check::new(WHAT, Health::Bad, found).hint("let both machines follow the same time servers")
}

fn postgres(report: &db::private::Report) -> Vec<Check> {
    const WHAT: &str = "PostgreSQL";
    let mut checks = Vec::new();
    for found in &report.installations {
        let version = found.version.as_deref().unwrap_or("of no known version");
        let place = found.bin_dir.display();
        checks.push(match &found.unusable {
            Some(why) => Check::new(
                WHAT,
                Health::Remark,
                format!("{version} in {place} cannot be used: {why}"),
            ),
            None if report.chosen.as_ref() == Some(&found.bin_dir) => {
                Check::new(WHAT, Health::Good, format!("{version} in {place} would be run"))
            }
            None => Check::new(WHAT, Health::Good, format!("{version} in {place}")),
        });
    }
    if let Some(version) = report.cluster_version {
        let served = report.served_by.map_or_else(
            || "nobody serves it now".to_owned(),
            |pid| format!("process {pid} serves it now"),
        );
        checks.push(Check::new(
            "cluster",
            Health::Good,
            format!("made by version {version}, {served}"),
        ));
    }
    for problem in &report.problems {
        let check = Check::new(WHAT, Health::Bad, problem.what.clone());
        checks.push(if report.chosen.is_none() {
            check.hint("apt-get install --no-install-recommends postgresql, or set DATABASE_URL")
        } else {
            check
        });
    }
    checks
}

/// The nearest directory above that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|above| above.is_dir()).unwrap_or_else(|| Path::new("/")).to_owned()
}

fn writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

fn data_dir(path: &Path) -> Check {
    const WHAT: &str = "data directory";
    let shown = path.display();
    let above = nearest(path);
    if !writable(&above) {
        return Check::new(WHAT, Health::Bad, format!("{} cannot be written", above.display()))
            .hint("--data-dir or COUNTERSIGN_DATA_DIR names another");
    }
    let found = if path.is_dir() {
        format!("{shown} is there")
    } else {
        format!("{shown} is not there yet and would be made")
    };
    Check::new(WHAT, Health::Good, found)
}

fn keys(data_dir: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt as _;
    const WHAT: &str = "keys";
    let directory = data_dir.join("keys");
    let Ok(found) = std::fs::metadata(&directory) else {
        return Check::new(WHAT, Health::Good, "none yet; they are made at the first start");
    };
    if found.permissions().mode() & 0o077 != 0 {
        return Check::new(
            WHAT,
            Health::Bad,
            format!("others may look into {}", directory.display()),
        )
        .hint(format!("chmod 700 {}", directory.display()));
    }
    let missing: Vec<&str> =
        ["kek", "audit-mac"].into_iter().filter(|name| !directory.join(name).exists()).collect();
    if missing.is_empty() {
        return Check::new(
            WHAT,
            Health::Remark,
            format!(
                "in {}, beside the data: whoever has this machine has both",
                directory.display()
            ),
        );
    }
    Check::new(WHAT, Health::Remark, format!("not made yet: {}", missing.join(", ")))
}

fn port(listen: SocketAddr, answered: bool) -> Check {
    const WHAT: &str = "port";
    match TcpListener::bind(listen) {
        Ok(_) => Check::new(WHAT, Health::Good, format!("{listen} is free")),
        Err(_) if answered => {
            Check::new(WHAT, Health::Good, format!("{listen} is in use, and a server answers"))
        }
        Err(error) => Check::new(WHAT, Health::Bad, format!("{listen}: {error}"))
            .hint("--listen or COUNTERSIGN_LISTEN names another"),
    }
}

fn service(address: &str, answers: &Result<(bool, String), crate::client::Error>) -> Check {
    const WHAT: &str = "service";
    match answers {
        Ok((true, said)) if said.is_empty() => {
            Check::new(WHAT, Health::Good, format!("{address} is ready"))
        }
        Ok((true, said)) => {
            let said = said.trim_end().replace('\n', "; ");
            Check::new(WHAT, Health::Bad, format!("{address} is ready, but {said}"))
                .hint("its log says why; `countersign audit verify` says what is signed")
        }
        Ok((false, _)) => {
            Check::new(WHAT, Health::Bad, format!("{address} answers, but is not ready"))
        }
        Err(_) => Check::new(WHAT, Health::Remark, format!("nobody answers at {address}"))
            .hint("`countersign serve` starts it"),
    }
}

/// Only the demo runs an sshd; targets have their own.
fn sshd() -> Check {
    const WHAT: &str = "sshd";
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = places.map(|place| place.join("sshd")).find(|program| program.is_file());
    match found {
        Some(program) => {
            Check::new(WHAT, Health::Good, format!("{} (for the demo)", program.display()))
        }
        None => Check::new(WHAT, Health::Remark, "not found; only the demo needs it")
            .hint("apt-get install --no-install-recommends openssh-server"),
    }
}

fn told(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.what.len()).max().unwrap_or(0);
    let lines = checks.iter().map(|check| {
        let mark = match check.health {
            Health::Good => "ok ",
            Health::Remark => "-  ",
            Health::Bad => "BAD",
        };
        let hint = check.hint.as_ref().map_or_else(String::new, |hint| {
            format!("\n     {:width$}  → {}", "", view::clean(hint))
        });
        format!("{mark}  {:width$}  {}{hint}", check.what, view::clean(&check.found))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The one table of permissions.
fn permissions(context: &Context) -> Result<End> {
    let rows: Vec<_> = api::permission::TABLE
        .iter()
        .map(|row| {
            let roles: Vec<_> = row.roles.iter().map(|role| role.word()).collect();
            json!({ "permission": row.name, "roles": roles })
        })
        .collect();
    context.show(&json!(rows), |rows| {
        view::table(view::items(rows), &[("permission", "/permission"), ("roles", "/roles")])
    })
}

#[cfg(test)]
mod tests;

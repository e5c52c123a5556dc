//! `countersign demo`: the product shown to a newcomer, on real hosts, with a real Prometheus.

pub(crate) mod beside;
mod directory;
mod estate;
mod hosts;
mod monitoring;
mod people;
mod process;
mod programs;
mod proof;
mod server;
mod store;
mod story;
mod timeline;
mod wait;

use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use directory::Directory;
use estate::Estate;
use hosts::Host;
use monitoring::Monitoring;
use people::Person;
use programs::Programs;
use server::Server;
use story::Stage;
use timeline::{Timeline, plain};

use crate::output;

/// What the demo is asked to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Leave everything running at the end, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

/// Everything that runs.
#[derive(Debug, Default)]
struct Cast {
    server: Option<Server>,
    hosts: Vec<Host>,
    monitoring: Option<Monitoring>,
    /// The administrator first.
    people: Vec<Person>,
}

impl Cast {
    /// Ends it all: first who acts on the others.
    async fn end(self) {
        if let Some(monitoring) = self.monitoring {
            monitoring.end().await;
        }
        if let Some(server) = self.server {
            server.end().await;
        }
        futures::future::join_all(self.hosts.into_iter().map(Host::end)).await;
    }
}

/// Shows the loop end to end.
///
/// # Errors
/// When a stage does not end as it should.
pub async fn run(args: Args) -> Result<()> {
    let programs = programs::find()?;
    let mut directory = Directory::make()?;
    let mut timeline = Timeline::begin();
    plain("Countersign: automation proposes; Countersign decides, acts and proves.");
    plain(&format!(
        "Everything below happens in {}. Lines with $ are what you would type.",
        directory.path().display()
    ));
    let mut interrupted = interruption()?;
    let mut cast = Cast::default();
    let story = Box::pin(tell(&programs, &directory, &mut timeline, &mut cast));
    let told = tokio::select! {
        told = story => Some(told),
        () = interrupted.arrives() => None,
    };
    match &told {
        Some(Ok(())) => {
            summary(&timeline);
            if args.keep {
                tell_what_runs(&directory, &cast);
                interrupted.arrives().await;
            }
        }
        Some(Err(_)) if args.keep => {
            directory.keep();
            output::note(&format!("logs and data stay in {}", directory.path().display()));
        }
        Some(Err(_)) => tell_logs(&directory),
        None => {}
    }
    cast.end().await;
    let kept = if directory.kept() { "is kept" } else { "is removed" };
    plain(&format!("Everything is stopped; {} {kept}.", directory.path().display()));
    told.unwrap_or_else(|| bail!("interrupted"))
}

/// SIGINT or SIGTERM.
struct Interruption {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

fn interruption() -> Result<Interruption> {
    Ok(Interruption {
        interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
    })
}

impl Interruption {
    async fn arrives(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Who approves.
const APPROVERS: [&str; 2] = ["grace", "edith"];

/// The whole story. Whatever it starts is in `cast`, however it ends.
async fn tell(
    programs: &Programs,
    directory: &Directory,
    timeline: &mut Timeline,
    cast: &mut Cast,
) -> Result<()> {
    let estate = Estate::shipped()?;
    timeline.stage("A server of its own, with its own PostgreSQL");
    let data_dir = directory.path().join("data");
    timeline.command(&programs::typed("countersign", &server::arguments(&data_dir)));
    let server = cast.server.insert(Server::start(programs, directory).await?);
    timeline.good(&format!("ready on {}", server.url));
    let url = server.url.clone();

    timeline.stage("People: who asks, who approves");
    let one_time = server.first_password().await?;
    cast.people.push(people::first_login(&url, "admin", &one_time).await?);
    let admin = cast.people.first().context("no administrator")?.client();
    timeline.event("admin logs in with the one-time password and sets another");
    cast.people.extend(estate.add_people(&url, &admin).await?);
    for person in cast.people.iter().skip(1) {
        timeline.event(&format!("{}: {}", person.username, estate.roles(&person.username)));
    }
    for name in APPROVERS {
        let person = cast.people.iter().find(|person| person.username == name);
        person.with_context(|| format!("no {name}"))?.enrol().await?;
    }
    timeline.event("grace and edith set up a second factor: what is critical needs one");

    timeline.stage("Three hosts, each a real sshd with a service");
    for name in estate.servers() {
        let host = Host::start(&programs.hosts, directory.path(), name).await?;
        timeline.event(&format!(
            "{name}: sshd on port {}, service on {}",
            host.port, host.service_port
        ));
        cast.hosts.push(host);
    }
    estate.add_servers(&admin, &cast.hosts).await?;
    timeline.good("environment prod: host keys pinned, login keys sealed");
    let ada = cast.people.iter().find(|person| person.username == "ada").context("no ada")?;
    for runbook in estate::import_runbooks(&ada.client()).await? {
        let estate::Imported { name, version, warnings } = runbook;
        timeline.event(&format!(
            "ada imports runbook {name}, version {version}, {warnings} warning(s)"
        ));
    }

    timeline.stage("A real Prometheus, a real Alertmanager");
    let key = estate.add_source(&admin).await?;
    let monitoring =
        Monitoring::start(programs, directory.path(), (&url, &key), &cast.hosts).await?;
    let monitoring = cast.monitoring.insert(monitoring);
    timeline.event(&format!(
        "Prometheus {}, Alertmanager {}",
        monitoring.prometheus_url, monitoring.alertmanager_url
    ));
    timeline.good("Prometheus sees three services up, and knows where to send alerts");

    let source = estate::holder(&url, &key)?;
    timeline.stage("A service dies: detected, planned, approved, restarted, verified");
    stage(timeline, monitoring, cast.hosts.as_slice(), &cast.people, &source)?
        .service_is_restarted()
        .await?;
    timeline.stage("A fix that does not help: everything it did is undone");
    stage(timeline, monitoring, cast.hosts.as_slice(), &cast.people, &source)?
        .failed_fix_is_rolled_back()
        .await?;

    timeline.stage("The audit log proves itself, and names the row that was changed");
    let server = cast.server.as_ref().context("no server")?;
    proof::audit(timeline, server, &admin).await
}

fn stage<'a>(
    timeline: &'a Timeline,
    monitoring: &'a Monitoring,
    hosts: &'a [Host],
    people: &'a [Person],
    source: &'a crate::client::Client,
) -> Result<Stage<'a>> {
    // The administrator only sets things up.
    let Some((_, people)) = people.split_first() else { bail!("nobody takes part") };
    Ok(Stage { timeline, monitoring, hosts, people, source })
}

fn summary(timeline: &Timeline) {
    plain(&format!("\nDone in {:.0} s. What you saw:", timeline.elapsed_s()));
    plain(
        "  an alert became a plan; policy, risk and guards decided; people who had not asked\n  \
         approved exactly that plan; it ran once, was verified, and taught the risk model.\n  \
         A fix that did not help was undone in reverse. Nothing was written to the audit log\n  \
         unsigned, and nothing in it can be changed unseen.",
    );
    plain(
        "What to try next:\n  \
         countersign demo --keep     the same, left running to look around\n  \
         make run                    a server to keep, on http://127.0.0.1:8080\n  \
         countersign doctor          what this machine has and lacks",
    );
}

fn tell_what_runs(directory: &Directory, cast: &Cast) {
    plain("\nEverything is left running:");
    if let Some(server) = &cast.server {
        plain(&format!(
            "  Countersign   {url}   (API description: {url}/api/v1/openapi.json)",
            url = server.url
        ));
    }
    if let Some(monitoring) = &cast.monitoring {
        plain(&format!("  Prometheus    {}", monitoring.prometheus_url));
        plain(&format!("  Alertmanager  {}", monitoring.alertmanager_url));
    }
    for host in &cast.hosts {
        plain(&format!(
            "  {}         {} status {}",
            host.name,
            host.control_path().display(),
            hosts::SERVICE
        ));
    }
    plain("  logins:");
    for person in &cast.people {
        plain(&format!("    {:<8} {}", person.username, person.password));
    }
    if let Some(server) = &cast.server {
        plain(&format!(
            "  try:\n    export COUNTERSIGN_URL={}\n    countersign login admin\n    \
             countersign execution list",
            server.url
        ));
    }
    plain(&format!(
        "To stop: Ctrl-C here, or kill {}. Everything in {} goes with it.",
        std::process::id(),
        directory.path().display()
    ));
}

/// The ends of all logs, when something went wrong.
fn tell_logs(directory: &Directory) {
    const LINES: usize = 15;
    for name in ["serve.log", "prometheus/log", "alertmanager/log"] {
        let tail = programs::tail(&directory.path().join(name), LINES);
        if !tail.is_empty() {
            output::note(&format!("--- the end of {name}:\n{tail}"));
        }
    }
}

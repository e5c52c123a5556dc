//! The command line: what can be said, and which room answers.

use clap::{Args, Parser, Subcommand};

use crate::output::Format;
use crate::{config, demo, serve};

pub mod account;
pub mod alert;
pub mod alert_rule;
pub mod approval;
pub mod archive;
pub mod audit;
pub mod blackout;
pub mod breaker;
pub mod completion;
pub mod context;
pub mod database;
pub mod decision;
pub mod doctor;
pub mod drift;
pub mod environment;
pub mod execution;
pub mod fault;
pub mod given;
pub mod intent;
pub mod key;
pub mod listing;
pub mod model;
pub mod plan;
pub mod policy;
pub mod prompt;
pub mod runbook;
pub mod secret;
pub mod server;
pub mod source;
pub mod tenant;
pub mod user;
pub mod view;

pub use context::{Context, End};

/// One control plane for everything that wants to change a running system
///
/// Automation proposes; Countersign decides, acts and proves. `countersign serve` runs the
/// service, `countersign demo` shows it, `countersign doctor` says what is missing. All other
/// commands speak to a running server, unless they say that they work offline.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100, after_long_help = AFTER)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "\
Exit codes:
  0  done, and the answer is good
  1  refused or failed; the execution watched ended otherwise than `completed`
  2  wrong usage; for `audit verify` and `decision recompute`: something was tampered with; for
     `drift codify`: it could not be done
  3  cannot tell: a verification lacks something, or an execution waits for a person to say what
     happened

Environment:
  COUNTERSIGN_URL, COUNTERSIGN_KEY  the server, and the API key to show there
  COUNTERSIGN_LOG                   what to log to standard error: warn, info, debug, or a filter";

/// What holds for every command.
///
/// Ids of their own: an argument of a command under the same id would take their place.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How results are printed
    #[arg(
        long = "output",
        global = true,
        id = "global_output",
        value_enum,
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub output: Format,

    /// The server's address
    #[arg(
        long = "server",
        global = true,
        id = "global_server",
        env = "COUNTERSIGN_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,

    /// The API key to show; the session of `countersign login` when absent
    #[arg(
        long = "key",
        global = true,
        id = "global_key",
        env = "COUNTERSIGN_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub key: Option<String>,

    /// How long to wait for an answer, in seconds
    #[arg(
        long = "timeout",
        global = true,
        id = "global_timeout",
        value_name = "S",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub timeout: u64,

    /// Log as JSON
    #[arg(long = "log-json", global = true, id = "global_log_json")]
    pub log_json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service
    ///
    /// One process does everything, on a private PostgreSQL it keeps in its data directory.
    /// Further processes on the same external database share the work.
    Serve(Box<config::Serve>),
    /// See the product at work, from a real alert to a verified, signed change
    Demo(demo::Args),
    /// Check what this machine has and lacks (offline)
    Doctor(doctor::Doctor),
    /// Open a session on a server and keep it for the next commands
    Login(account::Login),
    /// End the session
    Logout,
    /// Show who the server takes one for
    Whoami,
    /// Change one's password
    Password(account::Password),
    /// People who may log in
    #[command(subcommand)]
    User(user::User),
    /// API keys of programs and AI agents
    #[command(subcommand)]
    Key(key::Key),
    /// Where alerts come from
    #[command(subcommand)]
    Source(source::Source),
    /// Deployment environments
    #[command(subcommand)]
    Environment(environment::Environment),
    /// Servers, how to reach them, and their host keys
    #[command(subcommand)]
    Server(server::Server),
    /// Secrets and the keys that seal them; nothing shows a secret
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Alerts, and the rules that say what becomes of them
    #[command(subcommand)]
    Alert(alert::Alert),
    /// Runbooks: what may be done, and when
    #[command(subcommand)]
    Runbook(runbook::Runbook),
    /// Plans: exactly what would be done, where, and why it may be
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Requests for approval
    #[command(subcommand)]
    Approval(approval::Approval),
    /// Approve a request for approval, or the plan it is about
    Approve(approval::Vote),
    /// Deny a request for approval, or the plan it is about
    Deny(approval::Vote),
    /// Executions: what runs and what ran
    #[command(subcommand)]
    Execution(execution::Execution),
    /// Intents: what was asked for, and what the gate would say
    #[command(subcommand)]
    Intent(intent::Intent),
    /// Decisions: why, asking for one, and making one again
    #[command(subcommand)]
    Decision(decision::Decision),
    /// Drift: what code declares against what is there
    #[command(subcommand)]
    Drift(drift::Drift),
    /// Policy bundles
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Windows in which nothing, or only something, may start
    #[command(subcommand)]
    Blackout(blackout::Blackout),
    /// Circuit breakers
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    /// Learned models: train, evaluate, register, activate
    #[command(subcommand)]
    Model(model::Model),
    /// The signed log: list, verify, export
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Retention, legal holds, and the archive
    #[command(subcommand)]
    Archive(archive::Archive),
    /// Closing a tenant for good (offline)
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Schema and roles of an external database
    #[command(subcommand)]
    Db(database::Database),
    /// Print a completion script for a shell
    Completion(completion::Completion),
}

impl Command {
    /// Whether this process is the service, whose log is for people who watch it.
    #[must_use]
    pub const fn serves(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    async fn run(self, context: &Context) -> anyhow::Result<End> {
        match self {
            Self::Serve(serve) => serve::run(*serve).await.map(|()| End::Good),
            Self::Demo(args) => demo::run(args).await.map(|()| End::Good),
            Self::Doctor(doctor) => doctor.run(context).await,
            Self::Login(login) => login.run(context).await,
            Self::Logout => account::log_out(context).await,
            Self::Whoami => account::who_am_i(context).await,
            Self::Password(password) => password.run(context).await,
            Self::User(user) => user.run(context).await,
            Self::Key(key) => key.run(context).await,
            Self::Source(source) => source.run(context).await,
            Self::Environment(environment) => environment.run(context).await,
            Self::Server(server) => server.run(context).await,
            Self::Secret(secret) => secret.run(context).await,
            Self::Alert(alert) => alert.run(context).await,
            Self::Runbook(runbook) => runbook.run(context).await,
            Self::Plan(plan) => plan.run(context).await,
            Self::Approval(approval) => approval.run(context).await,
            Self::Approve(vote) => vote.cast(context, approval::Choice::Approve).await,
            Self::Deny(vote) => vote.cast(context, approval::Choice::Deny).await,
            Self::Execution(execution) => execution.run(context).await,
            Self::Intent(intent) => intent.run(context).await,
            Self::Decision(decision) => decision.run(context).await,
            Self::Drift(drift) => drift.run(context).await,
            Self::Policy(policy) => policy.run(context).await,
            Self::Blackout(blackout) => blackout.run(context).await,
            Self::Breaker(breaker) => breaker.run(context).await,
            Self::Model(model) => model.run(context).await,
            Self::Audit(audit) => audit.run(context).await,
            Self::Archive(archive) => archive.run(context).await,
            Self::Tenant(tenant) => tenant.run(context).await,
            Self::Db(database) => database.run(context).await,
            Self::Completion(completion) => completion.run(),
        }
    }
}

/// Does what was said, tells what went wrong, and gives the exit code.
pub async fn run(cli: Cli) -> u8 {
    let context = Context::new(&cli.global);
    match Box::pin(cli.command.run(&context)).await {
        Ok(end) => end.code(),
        Err(error) => {
            fault::tell(&error, context.format);
            fault::end(&error).code()
        }
    }
}

#[cfg(test)]
mod tests;
